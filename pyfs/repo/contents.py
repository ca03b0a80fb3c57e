"""What a table's file holds, whatever its format."""

from typing import TYPE_CHECKING, Protocol

from pyfs._core import Address, Schema, Table

if TYPE_CHECKING:
    from pyfs.repo.table_version import TableVersion


class TableContents(Protocol):
    """One version of one table in one format: `TableVersion`, `ParquetVersion`."""

    @property
    def table(self) -> Table: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def address(self) -> Address: ...
    @property
    def as_text(self) -> "TableVersion":
        """The text that is read to save this table: its own, or CSV where it is no text."""

    @property
    def size(self) -> int | None:
        """Bytes of the file, if known."""

    @property
    def size_max(self) -> int:
        """Bytes of the file, never too few."""

    async def stored_len(self) -> int | None:
        """Stored bytes that have to be read for the exact size; None where these are many."""

    async def exact_size(self) -> int:
        """Bytes of the file; reads what it lacks for that."""

    @property
    def share_read(self) -> float:
        """How much of what `exact_size` reads it has read, from 0 to 1."""

    async def read(self, offset: int, length: int) -> bytes:
        """The bytes in `[offset, offset + length)`; fewer only at the end."""

    async def view(self, offset: int, length: int) -> bytes | memoryview:
        """The same without a copy, where the bytes lie in one piece."""
