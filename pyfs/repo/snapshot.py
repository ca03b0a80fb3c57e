"""One commit's tables."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from pyfs._core import Address, Commit, RootValue
from pyfs.errors import NotFoundError
from pyfs.formats import Format
from pyfs.repo.contents import TableContents
from pyfs.repo.system_tables import is_system_table


class Snapshot:
    """One commit's tables; never changes."""

    def __init__(
        self,
        commit: Commit,
        root: RootValue,
        all_tables: Mapping[str, Address],
        load: Callable[[Address, Format], Awaitable[TableContents]],
    ) -> None:
        self.commit: Final = commit
        self.root: Final = root
        self.all_tables: Final = MappingProxyType(dict(all_tables))
        """Every table, Dolt's own (`dolt_schemas`, …) too."""
        self.tables: Final = MappingProxyType(
            {k: v for k, v in all_tables.items() if not is_system_table(k)}
        )
        """The user's tables: exact name to address."""
        self._load = load

    async def table(
        self,
        name: str,
        format: Format = Format.CSV,
    ) -> TableContents:
        """A table, of Dolt's own ones too, and its text in *format*.

        `NotFoundError` if there is none of that exact name.
        """
        address = self.all_tables.get(name)
        if address is None:
            raise NotFoundError(f"commit {self.commit.address} has no table {name!r}")
        return await self._load(address, format)
