"""What Dolt's bytes mean.

No I/O happens here. Three shapes cross the border: functions on batches, frozen values, and
traversals. A traversal says which chunks it needs next (`needs`), is fed them in any portions
and any order (`feed`), and has a `result` once it needs nothing more
(`pyfs.store.traversal.drive`).

Raises `pyfs.errors.CorruptionError` for bytes that break the format,
`UnsupportedError` for valid bytes this version cannot read or maintain, and
`InvalidTextError` for text that does not fit a schema.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self, final

from typing_extensions import disjoint_base

__all__ = [
    "Address",
    "AddressMapScan",
    "Addresses",
    "BuiltTable",
    "Chunk",
    "ChunkCache",
    "Chunks",
    "Claims",
    "ClosureEdit",
    "ClosureLookup",
    "Commit",
    "DiffCount",
    "Extent",
    "FollowBuild",
    "ForeignKey",
    "HashedLeaves",
    "Inference",
    "KeyCheck",
    "KeyFindings",
    "Leaves",
    "Manifest",
    "Measure",
    "MissingParents",
    "ReadPlan",
    "ReferencedRow",
    "Render",
    "Rendered",
    "RootValue",
    "RowCarry",
    "RowFollow",
    "Run",
    "Schema",
    "SchemaEdit",
    "SortedRun",
    "StorageFile",
    "StorageWriter",
    "Table",
    "TableBuild",
    "TableFinish",
    "TableIndex",
    "Tag",
    "Text",
    "TextLayout",
    "TreeJob",
    "branch_name_error",
    "column_tags",
    "create_table",
    "foreign_key_chunk",
    "foreign_keys",
    "store_root",
    "system_schema",
]

@final
class Address:
    """The address of a chunk: the first 20 bytes of the SHA-512 of its contents.

    Immutable, hashable, ordered by bytes. `str()` gives Dolt's 32 characters of base32.
    False when it is the empty address (20 zero bytes), which stands for "none".
    """

    LEN: ClassVar[int]
    EMPTY: ClassVar[Address]

    def __new__(cls, raw: bytes) -> Address: ...
    @staticmethod
    def parse(text: str) -> Address: ...
    @staticmethod
    def of(contents: bytes) -> Address: ...
    def __bytes__(self) -> bytes: ...
    def __bool__(self) -> bool: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Address, /) -> bool: ...
    def __le__(self, other: Address, /) -> bool: ...
    def __gt__(self, other: Address, /) -> bool: ...
    def __ge__(self, other: Address, /) -> bool: ...

@final
class Addresses:
    """Many addresses, without a Python object for each. Frozen."""

    def __new__(cls, addresses: Sequence[Address]) -> Addresses: ...
    def __len__(self) -> int: ...
    def __getitem__(self, at: int, /) -> Address: ...
    def __iter__(self) -> Iterator[Address]: ...

@final
class Claims:
    """Addresses that somebody is fetching. Thread-safe."""

    def __new__(cls) -> Claims: ...
    def claim(self, addresses: Addresses) -> Addresses:
        """Those of *addresses* that nobody had claimed, each once; they are claimed now."""

    def release(self, addresses: Addresses) -> None: ...

@final
class Chunk:
    """Contents proven to match their address. The contents stay in Rust."""

    @staticmethod
    def verify(address: Address, contents: bytes) -> Chunk:
        """The chunk at *address*, if *contents* are what it promises; else `CorruptionError`."""

    @property
    def address(self) -> Address: ...
    def __len__(self) -> int:
        """Uncompressed bytes."""

    def contents(self) -> bytes:
        """A copy of the uncompressed bytes."""

@final
class Chunks:
    """Many chunks, without a Python object for each. Frozen."""

    def __new__(cls, chunks: Sequence[Chunk]) -> Chunks: ...
    @staticmethod
    def gather(addresses: Addresses | Sequence[Address], parts: Sequence[Chunks]) -> Chunks:
        """The chunks at *addresses*, in that order, out of *parts*."""

    def addresses(self) -> Addresses:
        """The address of each."""

    def missing(self, addresses: Addresses | Sequence[Address]) -> Addresses:
        """Those of *addresses* whose chunk is not here."""

    def __len__(self) -> int: ...
    def __getitem__(self, at: int, /) -> Chunk: ...
    def __iter__(self) -> Iterator[Chunk]: ...

@final
class ChunkCache:
    """Chunks in memory, at most *bytes_max* bytes of them, the last used ones. Thread-safe."""

    def __new__(cls, bytes_max: int) -> ChunkCache: ...
    def get(self, addresses: Addresses | Sequence[Address]) -> tuple[Chunks, Addresses]:
        """The chunks that are here, and the addresses of the others."""

    def put(self, chunks: Chunks) -> None: ...

# Storage: table files, archives, manifests

@final
class ReadPlan:
    """One ranged read of a table file or archive, and what lies in it."""

    @property
    def offset(self) -> int:
        """First byte to read."""

    @property
    def length(self) -> int:
        """Bytes to read."""

    def __len__(self) -> int:
        """Chunks in the range that were asked for."""

@final
class TableIndex:
    """Which record of one table file or archive holds an address, and where. Frozen."""

    @staticmethod
    def table_tail_len(chunk_count: int) -> int:
        """Bytes of index and footer of a table file with *chunk_count* chunks."""

    @staticmethod
    def table_name(tail: bytes) -> str:
        """The name that dolt gives a table file with this index and footer.

        It covers parts of the addresses alone. Dolt itself reads a file under any name.
        """

    @staticmethod
    def archive_tail_guess(chunk_count: int) -> int:
        """Bytes from the end of an archive that usually hold its index, metadata and footer."""

    @staticmethod
    def archive_tail_len(tail: bytes, file_len: int) -> int:
        """Bytes of index, metadata and footer, as the footer at the end of *tail* has them.

        *tail* is at least the last 220 bytes of the file, or all of it.
        """

    @staticmethod
    def table(name: str, tail: bytes, file_len: int) -> TableIndex:
        """The index of table file *name*; *tail* is exactly `table_tail_len` bytes."""

    @staticmethod
    def archive(name: str, tail: bytes, file_len: int) -> TableIndex:
        """The index of archive *name*; *tail* is at least `archive_tail_len` bytes."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["table", "archive"]: ...
    def __len__(self) -> int:
        """Chunks in the file."""

    def addresses(self) -> list[Address]:
        """Of all chunks in the file, in order."""

    def contains(self, addresses: Addresses | Sequence[Address]) -> list[bool]: ...
    def split(self, addresses: Addresses | Sequence[Address]) -> tuple[Addresses, Addresses]:
        """Those of *addresses* that are here, and the others."""

    def stored_len(self, addresses: Addresses | Sequence[Address]) -> int:
        """Bytes that the records of those of *addresses* that are here take in the file."""

    def dictionary_plans(
        self, addresses: Addresses | Sequence[Address] | None = None
    ) -> list[ReadPlan]:
        """Reads of the compression dictionaries that *addresses* need and that are not loaded.

        None stands for all of the file.
        """

    def load_dictionaries(self, plan: ReadPlan, data: bytes) -> None:
        """Keeps the dictionaries that *plan* (one of `dictionary_plans`) read as *data*."""

    def plan(
        self,
        addresses: Addresses | Sequence[Address],
        gap_bytes_max: int,
        length_bytes_max: int,
    ) -> list[ReadPlan]:
        """The reads for those of *addresses* that are here, neighbours joined over small gaps."""

    def plan_within(
        self, addresses: Addresses | Sequence[Address], ranges: Sequence[tuple[int, int]]
    ) -> tuple[list[tuple[int, ReadPlan]], Addresses]:
        """The reads of those of *addresses* whose records lie within one of *ranges*.

        A range is a start and an end in the file. Each read comes with the number of its range;
        then come the addresses that lie in none, or not in this file.
        """

    def decode(self, plan: ReadPlan, data: bytes) -> Chunks:
        """The chunks that *plan* describes, out of the bytes it read, each verified."""

@final
class StorageFile:
    """A storage file, ready to be stored. Frozen."""

    @property
    def name(self) -> str:
        """Its base name, as a manifest has it."""

    @property
    def file(self) -> str:
        """Its name, with `.darc` if it is an archive."""

    @property
    def chunk_count(self) -> int: ...
    @property
    def tail_len(self) -> int:
        """Bytes of its index and what follows."""

    @property
    def data(self) -> bytes: ...

@final
class StorageWriter:
    """Chunks in, a storage file out: a table file or an archive, whichever has fewer bytes.

    Leaves of trees come first in it, in the order in which they were added; then inner nodes, then
    what stands above trees. Many chunks are compressed by threads while more come; the file
    depends on neither the threads nor the portions. Thread-safe.
    """

    def __new__(cls, *, versions: bool = False) -> StorageWriter:
        """*versions* says that many chunks are versions of each other, as those of several commits
        are: nothing is compressed before all are there."""

    def add(self, chunks: Chunks | Sequence[Chunk]) -> None:
        """Takes chunks; an address that was added already is left out."""

    def take(self) -> bytes:
        """The next bytes of the file, as far as they are there."""

    def finish(self, turn: int = 0) -> StorageFile | None:
        """The file, less what was taken; or None when no chunk was added. Called once.

        A name covers the addresses in their order, and not all bytes. Where another file has that
        name, another *turn* gives another order.
        """

@final
class Manifest:
    """Which storage files make a database, and the address of its store root. Frozen."""

    EMPTY: ClassVar[Manifest]
    """A database that does not exist yet: no root, no files, the empty lock."""

    @staticmethod
    def parse(text: bytes) -> Manifest:
        """From the text of a manifest file, storage version 4 or 5."""

    @staticmethod
    def from_item(
        *, nbs_version: str, nbf_version: str, root: bytes, lock: bytes, specs: str, appendix: str
    ) -> Manifest:
        """From the attributes of a DynamoDB item; absent *specs* and *appendix* are ""."""

    def text(self) -> bytes:
        """The text of a manifest file, storage version 5."""

    @property
    def root(self) -> Address: ...
    @property
    def lock(self) -> Address: ...
    @property
    def gc_gen(self) -> Address: ...
    @property
    def nbf_version(self) -> str: ...
    @property
    def specs(self) -> list[tuple[str, int]]:
        """Base name and chunk count of each file, those of the appendix first."""

    @property
    def appendix(self) -> list[tuple[str, int]]: ...
    @property
    def specs_text(self) -> str:
        """`name:count:…` as DynamoDB has it, "" for none."""

    @property
    def appendix_text(self) -> str: ...
    def succeed(
        self, root: Address, added: Sequence[tuple[str, int]], removed: Sequence[str] | None = None
    ) -> Manifest:
        """This manifest with another root and other files: sorted, with its own lock.

        Format version, gcGen and appendix are carried over; files of the appendix stay.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

# Messages

@final
class Commit:
    """A commit. Times are milliseconds since 1970 UTC."""

    @staticmethod
    def decode(chunk: Chunk) -> Commit: ...
    @staticmethod
    def create(
        *,
        root: Address,
        parents: Sequence[Commit],
        closure: Address,
        name: str,
        email: str,
        message: str,
        timestamp_ms: int,
    ) -> tuple[Commit, Chunk]:
        """A commit by *name* <*email*>, height one above its highest parent's, and its chunk."""

    @property
    def address(self) -> Address: ...
    @property
    def root(self) -> Address:
        """The address of its root value."""

    @property
    def height(self) -> int: ...
    @property
    def parents(self) -> list[Address]: ...
    @property
    def closure(self) -> Address:
        """The root of the tree of all its ancestors; empty without parents."""

    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def timestamp_ms(self) -> int:
        """The committer's date."""

    @property
    def author_timestamp_ms(self) -> int: ...
    @property
    def committer_name(self) -> str: ...
    @property
    def committer_email(self) -> str: ...

@final
class Tag:
    """An annotated tag."""

    @staticmethod
    def decode(chunk: Chunk) -> Tag: ...
    @property
    def commit(self) -> Address: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def timestamp_ms(self) -> int: ...

@final
class AddressMapScan:
    """Traversal: all entries of an address map, name to address, in byte order."""

    @staticmethod
    def datasets(store_root: Chunk) -> AddressMapScan:
        """The branches, tags and working sets of a store root, such as `refs/heads/main`."""

    @staticmethod
    def tables(root_value: Chunk) -> AddressMapScan:
        """The tables of a root value."""

    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> dict[str, Address]: ...

def store_root(datasets: dict[str, Address]) -> list[Chunk]:
    """The chunks of a store root with these datasets; the last is the store root itself."""

def branch_name_error(name: str) -> str | None:
    """Why Dolt refuses *name* for a branch; None when it takes it."""

@final
class RootValue:
    """A root value: the tables of one state of a database. Frozen.

    Raises `UnsupportedError` for a feature version above 7 and for Doltgres.
    """

    @staticmethod
    def empty() -> RootValue:
        """A database without tables, as `dolt init` makes it."""

    @staticmethod
    def decode(chunk: Chunk) -> RootValue: ...
    @property
    def address(self) -> Address: ...
    @property
    def foreign_keys(self) -> Address:
        """The address of the foreign key collection, or empty."""

    @property
    def collation(self) -> int:
        """MySQL's number of the database's collation."""

    def with_tables(self, tables: dict[str, Address], foreign_keys: Address) -> list[Chunk]:
        """The chunks of this root value with these tables; the last is the root value itself.

        *foreign_keys* is the address of their collection, or empty. Everything else is carried
        over.
        """

    def chunk(self) -> Chunk: ...

@final
class ForeignKey:
    """A foreign key: rows of `child` name rows of `parent`. Frozen."""

    @property
    def name(self) -> str: ...
    @property
    def child(self) -> str: ...
    @property
    def parent(self) -> str: ...
    def refusal(self, child: Schema, parent: Schema) -> str | None:
        """Why pyfs cannot maintain it between tables of these schemas, or None."""

    def demands_as(self, other: ForeignKey) -> bool:
        """Whether *other* demands the same of the same columns, whatever their names."""

    def with_columns(self, names: dict[int, str]) -> ForeignKey:
        """The same key of columns that have got new *names*, by tag."""

    def with_tables(self, child: str, parent: str) -> ForeignKey:
        """The same key of tables of these names."""

    def __eq__(self, other: object, /) -> bool: ...

def foreign_keys(chunk: Chunk) -> list[ForeignKey]:
    """The keys of a foreign key collection, in the order of their names."""

def foreign_key_chunk(keys: Sequence[ForeignKey]) -> Chunk:
    """The collection of these keys. An empty one is never stored."""

@final
class KeyCheck:
    """Traversal: what follows, by foreign keys, from a change of some tables.

    *keys* are those of and to a changed table, each with whether it is new: then all rows of its
    child need their parents. *tables* has every table that they name: before the change (None if
    it was not there) and after it. Reads the indexes that serve the keys where they differ.
    Raises `UnsupportedError` for a key that pyfs cannot maintain.
    """

    def __new__(
        cls,
        keys: Sequence[tuple[ForeignKey, bool]],
        tables: Mapping[str, tuple[tuple[Table, Schema] | None, tuple[Table, Schema]]],
    ) -> KeyCheck: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> KeyFindings: ...

@final
class KeyFindings:
    """What follows from a change. Frozen."""

    @property
    def missing(self) -> list[MissingParents]:
        """Rows that came without their parents, by foreign key."""

    @property
    def referenced(self) -> list[ReferencedRow]:
        """Rows that went and may not, as others name them."""

    @property
    def follow(self) -> dict[str, RowFollow]:
        """What becomes of rows that name others which went, by table in lower case."""

@final
class MissingParents:
    """Rows without the parent that a foreign key demands. Frozen."""

    @property
    def key(self) -> ForeignKey: ...
    @property
    def columns(self) -> list[str]:
        """The key's columns in the child."""

    @property
    def parent_columns(self) -> list[str]:
        """Those in the parent."""

    def first(self, built: BuiltTable | None, more_lines: Sequence[bytes] = ...) -> tuple[int, str]:
        """The first line of *built*'s text with such a row, and the values of `columns` there.

        *more_lines* are those of rows that were taken away from the build. Line 0 where the text
        has none of them.
        """

@final
class ReferencedRow:
    """A row that others name. Frozen."""

    @property
    def constraint(self) -> str:
        """The foreign key's name."""

    @property
    def child(self) -> str:
        """The table of the rows that name it."""

    @property
    def parent(self) -> str:
        """Its own table."""

    @property
    def columns(self) -> list[str]:
        """The key's columns in the parent."""

    @property
    def value(self) -> str:
        """Their values in the row, with commas between."""

    @property
    def count(self) -> int:
        """How many rows name it."""

    @property
    def changed(self) -> bool:
        """Whether the row is there with other values of these columns."""

@final
class RowFollow:
    """What becomes of rows of a table. Frozen."""

@final
class FollowBuild:
    """Traversal: a table in which rows follow others.

    Reads the leaves of these rows and what else they need, or the whole table where it has no
    primary key.
    """

    def __new__(cls, schema: Schema, table: Table, follow: RowFollow) -> FollowBuild: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> BuiltTable: ...

@final
class ClosureEdit:
    """Traversal: the closure of a commit with one parent, by editing the parent's own closure.

    The result is its new chunks; the last is the root.
    """

    def __new__(cls, parent: Commit) -> ClosureEdit: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> list[Chunk]: ...

@final
class ClosureLookup:
    """Traversal: whether *ancestor* is a proper ancestor of *commit*."""

    def __new__(cls, commit: Commit, ancestor: Commit) -> ClosureLookup: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> bool: ...

# Tables

@final
class Table:
    """A table's message: its schema, its rows' root node, its indexes. Frozen."""

    @staticmethod
    def decode(chunk: Chunk) -> Table: ...
    @property
    def address(self) -> Address: ...
    @property
    def schema(self) -> Address: ...
    @property
    def rows(self) -> Chunk:
        """The root node of the clustered index. It is embedded here and stored nowhere else."""

    @property
    def row_count(self) -> int:
        """Entries of the clustered index; equal rows of a keyless table count once."""

    @property
    def auto_increment(self) -> int: ...
    @property
    def has_artifacts(self) -> bool:
        """Whether a merge left conflicts or violations in it."""

@final
class Schema:
    """A table's schema, and the format in which its rows are shown: csv at first. Frozen."""

    @staticmethod
    def decode(chunk: Chunk) -> Schema: ...
    @property
    def address(self) -> Address: ...
    @property
    def columns(self) -> list[str]:
        """The names of the columns that the text shows, in table order."""

    @property
    def definitions(self) -> list[tuple[str, str, bool]]:
        """Name, SQL type and whether it may be NULL, of each of these columns."""

    @property
    def primary_key(self) -> list[str]:
        """The names of the key's columns in key order; empty for a keyless table."""

    def in_format(self, format: str) -> Schema:
        """The same schema with rows in *format*: csv, tsv or jsonl."""

    @property
    def format(self) -> str: ...
    @property
    def text_key(self) -> bytes:
        """Names the form of the table's text: the schema's address, and the format."""

    @property
    def header(self) -> bytes:
        """What the table's text begins with: a line that names the columns; nothing in jsonl."""

    @property
    def checks(self) -> list[str]:
        """The names of its CHECK constraints."""

    @property
    def may_be_long(self) -> bool:
        """Whether the text of a leaf may be much longer than the leaf: by values stored beside it,
        or by rows that occur often."""

    @property
    def has_fulltext_index(self) -> bool: ...
    def copy_for(self, name: str, same: bool, taken: set[int]) -> Schema:
        """This schema for a new table called *name*, with tags of its own.

        Its rows are shown in the same format. Unless *same*: it is the same table on another
        branch, and keeps its tags if it can. *taken* are the tags of all columns of the database.
        """

    def refuses_writes(self) -> str | None:
        """Why pyfs cannot write this table, or None: what it has that pyfs cannot maintain.

        Foreign keys and triggers are not of the schema and not seen here.
        """

def system_schema(table: str, taken: set[int]) -> Schema | None:
    """The schema of `dolt_docs` or `dolt_ignore` in a database that lacks it; else None.

    *taken* are the tags of all columns of the database.
    """

def create_table(
    name: str,
    table: Table,
    schema: Chunk,
    foreign_keys: Chunk | None,
    parents: Mapping[str, Chunk],
) -> str:
    """`CREATE TABLE` as dolt's `SHOW CREATE TABLE` prints it, without a line end.

    *foreign_keys* is the database's collection, and *parents* has the schemas of the tables that
    the table's own keys name.
    """

def column_tags(schema: Chunk) -> set[int]:
    """The numbers by which merges know the columns of a schema."""

@final
class SchemaEdit:
    """What a `CREATE TABLE` text makes of a table. Frozen.

    Raises `InvalidTextError` for a text that is no `CREATE TABLE` of table *name*, with line and
    column, and `UnsupportedError` for what pyfs cannot do as dolt would. *used_tags* are those of
    all columns of the database, *collation* and *foreign_keys* are the database's, *schemas* those
    of all its tables.
    """

    @staticmethod
    def create(
        name: str,
        text: bytes,
        used_tags: set[int],
        collation: int,
        foreign_keys: Chunk | None,
        schemas: Mapping[str, Chunk],
    ) -> SchemaEdit:
        """A new table."""

    @staticmethod
    def alter(
        name: str,
        text: bytes,
        used_tags: set[int],
        collation: int,
        table: Table,
        schema: Chunk,
        foreign_keys: Chunk | None,
        schemas: Mapping[str, Chunk],
    ) -> SchemaEdit:
        """A change of *table*. What the text does not change stays as it is stored."""

    @property
    def address(self) -> Address:
        """The address of the new schema."""

    @property
    def unchanged(self) -> bool:
        """Whether nothing differs."""

    @property
    def schema_stays(self) -> bool:
        """Whether the table itself stays as it is: no more than foreign keys change."""

    @property
    def foreign_keys(self) -> list[ForeignKey]:
        """Those that the table declares, in the order of their names."""

    @property
    def new_names(self) -> dict[int, str]:
        """The names of renamed columns, by tag."""

    def without_rows(self) -> BuiltTable | None:
        """The table, if it has no rows or they stay as they are stored; with its schema's chunk."""

    def carry(self, micros: int, seed: bytes) -> RowCarry:
        """Carries the rows over, where they do not stay.

        Defaults that are the time are *micros*, since 1970 UTC; those that are a UUID are made of
        *seed*, 16 random bytes.
        """

@final
class RowCarry:
    """The text of a table under its old schema in, the table under the new one out.

    Raises `InvalidTextError` for a row that has no place in it.
    """

    def feed(self, text: bytes) -> None:
        """The next bytes of the old text, cut anywhere."""

    def finish(self) -> BuiltTable:
        """The end of the text; the table comes with its schema's chunk. Called once."""

@final
class Extent:
    """Where the rows of one piece lie in a table's text."""

    @property
    def piece(self) -> int:
        """Its number: that of its first leaf, divided by `TextLayout.PIECE_LEAVES`."""

    @property
    def start(self) -> int:
        """Offset of its first byte in the text."""

    @property
    def length(self) -> int:
        """Bytes of its rows."""

@final
class Measure:
    """What is remembered of a leaf's text: its length, and enough to find it in another text."""

    @staticmethod
    def of(text: bytes) -> Measure: ...
    @staticmethod
    def of_length(length: int) -> Measure:
        """Of a text of which only the length is known: it is found in no other."""

    @staticmethod
    def parse(raw: bytes) -> Measure:
        """What `bytes()` gave; `CorruptionError` for another number of bytes."""

    @property
    def length(self) -> int: ...
    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class TextLayout:
    """Which leaf each byte of a table's text lies in, as far as it is known. Not thread-safe.

    It starts with the root node and learns: inner nodes are expanded (`expand`), measures of
    rendered leaves are set (`set_measures`). A table whose root is a leaf has that as its
    only one. A text is read in pieces of `PIECE_LEAVES` leaves each, the last one of fewer.
    """

    PIECE_LEAVES: ClassVar[int]
    def __new__(cls, table: Table, schema: Schema) -> TextLayout: ...
    @property
    def size(self) -> int | None:
        """Bytes of the whole text with its header, or None while a leaf's length is unknown."""

    @property
    def size_max(self) -> int:
        """A size that is never too small; equal to `size` once that is known."""

    @property
    def leaf_count_placed(self) -> int:
        """Leading leaves whose place in the text is known."""

    @property
    def leaf_count_max(self) -> int:
        """Leaves, or an estimate that is rarely too small while inner nodes are not expanded."""

    def frontier(self, offset: int, length: int) -> tuple[Addresses, list[int], Addresses]:
        """What has to be known to place the pieces of `[offset, offset + length)`.

        In text order, as far as the range may reach: inner nodes to expand, or else pieces none of
        whose leaves is measured, and single leaves of others. The same ones at each call until
        they are given. All empty: placed (`extents`). A length of 2**63 - 1 asks for everything.
        """

    def piece_leaves(self, pieces: Sequence[int]) -> Addresses:
        """The leaves of *pieces*, which `frontier` or `extents` named, in text order."""

    def expand(self, nodes: Chunks) -> None:
        """Replaces inner nodes by their children."""

    def set_measures(
        self, measures: Rendered | BuiltTable | Sequence[tuple[Address, Measure]]
    ) -> None:
        """Sets the measures of leaves. Leaves it does not have are ignored."""

    @property
    def fresh_count(self) -> int:
        """Leaves whose measures were set and are not remembered yet."""

    def unremembered(self, by_last: bool, limit: int) -> Addresses:
        """Keys of records that have measures it lacks, the first ones, each once.

        Measures are remembered in groups of leaves. A group's record is found by the leaf it begins
        with, and by the one after its last (*by_last*).
        """

    def recall(self, form: bytes, records: Sequence[bytes]) -> int:
        """Takes the measures in *records* made for *form*; how many it lacked.

        Damaged ones are passed over.
        """

    def remember(self, form: bytes) -> list[tuple[bytes, bytes, bytes]]:
        """Both keys and the record of each group of which something is fresh, and all is known."""

    def extents(self, offset: int, length: int) -> list[Extent]:
        """The pieces that hold the placed part of `[offset, offset + length)`, in text order.

        The header is in no piece: bytes before `len(schema.header)` are not covered.
        """

@final
class Text:
    """Bytes of a text. Frozen."""

    def __new__(cls, text: bytes) -> Text: ...
    def __len__(self) -> int: ...
    def view(self) -> memoryview:
        """The bytes where they are."""

@final
class Rendered:
    """The texts of some leaves, and their measures."""

    def take(self) -> list[Text]:
        """The texts, `PIECE_LEAVES` leaves in each. Gives them away: called once."""

@final
class Render:
    """Traversal: the text of some leaves, without the header. Fetches only out-of-band values.

    The rendering itself happens in `feed` and `result`, without the GIL.
    """

    def __new__(cls, schema: Schema, leaves: Chunks) -> Render: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> Rendered: ...

@disjoint_base
class BuiltTable:
    """A table made from text, and the chunks it is made of. Frozen."""

    def __new__(cls, built: BuiltTable) -> Self: ...
    @property
    def address(self) -> Address:
        """The address of its table message: equal to Dolt's for the same rows and schema."""

    @property
    def chunks(self) -> list[Chunk]:
        """Every chunk that it has and its base lacks, except its schema's.

        Where nothing was passed over, every chunk it has, less those that were taken away before
        the end. The remote may hold some already. A new table's schema is among them.
        """

    @property
    def table(self) -> Table: ...
    @property
    def row_count(self) -> int: ...
    @property
    def measured_count(self) -> int:
        """New leaves of which it has the measures, for `TextLayout.set_measures`."""

    @property
    def format(self) -> str:
        """The format of the text it was made from, and that was measured."""

@final
class TableBuild:
    """Text in, a table out: all rows of the text and no others.

    *schema* says in which format the text is. *base* gives what rows do not decide (schema,
    auto-increment counter). The header names the columns in any order. `feed` refuses what can be
    known there. With the *layout* of the base's text in that format, if all of that is measured,
    leaves that the new text repeats are kept unread.
    """

    def __new__(
        cls, schema: Schema, base: Table, layout: TextLayout | None = None
    ) -> TableBuild: ...
    @staticmethod
    def create(schema: Schema) -> TableBuild:
        """A build for a new table with this schema, as `Inference` gives it."""

    def count_rows(self) -> None:
        """Errors say which row is at fault in place of the line, from 1. Called before `feed`."""

    def feed(self, text: bytes) -> None:
        """The next bytes of the text, cut anywhere. Raises `InvalidTextError`.

        After an error the build is over; start a new one.
        """

    def take(self, bytes_max: int) -> Leaves | None:
        """Takes away the leaves that are done, if they and their text have more than *bytes_max*.

        All have to be given back hashed, here or to the `TableFinish`. From then on `feed` raises
        `ReadAnewError` for a row that does not come in order.
        """

    def give(self, leaves: HashedLeaves) -> None: ...
    def take_run(self, bytes_max: int) -> Run | None:
        """Takes away rows or index entries to be sorted, if all have more than *bytes_max* bytes.

        They have to be given back before the end.
        """

    def give_run(self, run: SortedRun, offset: int) -> None:
        """Takes back a run whose data is kept from *offset* on."""

    def sort_all(self) -> None:
        """Rows may come in any order, whatever is taken away. Called before `feed`."""

    def differing_bytes(self, at_end: bool) -> int:
        """Bytes of what differs from the base's text, where that is passed over; else 0.

        All of it is held in memory. *at_end*: no more text comes.
        """

    @property
    def held_bytes(self) -> int:
        """Bytes of all that grows with the text and is held here."""

    def finish(self) -> TableFinish:
        """The end of the text. Raises `InvalidTextError`. Called once.

        `DuplicateKeyError` where two rows have the same primary key.
        """

@final
class Leaves:
    """Leaves of one tree that are done. Frozen. Each part of a build is used once."""

    def hash(self) -> HashedLeaves:
        """Hashes them, and measures their text."""

@final
class HashedLeaves:
    """Leaves with their addresses. Frozen."""

    @property
    def chunks(self) -> Chunks:
        """The leaves, and values that stand out of band."""

    @property
    def lines(self) -> bytes:
        """Where the rows stand in the text, for `MissingParents.first`."""

@final
class Run:
    """Rows of one tree that are to be sorted. Frozen."""

    def sort(self) -> SortedRun: ...

@final
class SortedRun:
    """Rows in order. Frozen."""

    def take_data(self) -> bytes:
        """What has to be kept until the build has ended. Called once."""

    def take_lines(self) -> bytes:
        """Where the rows stand in the text, for `MissingParents.first`. Called once."""

@final
class TreeJob:
    """Makes the leaves of one tree of a table whose text has ended."""

    def needs(self) -> list[tuple[int, int, int]]:
        """What has to be read and fed before `next` goes on: run, offset and length of each."""

    def feed(self, run: int, data: bytes) -> None: ...
    def next(self, bytes_min: int) -> Leaves | None:
        """The next leaves, of *bytes_min* bytes or a little more; None where there are none now.

        Raises `InvalidTextError`, `DuplicateKeyError`.
        """

    @property
    def is_over(self) -> bool:
        """Whether all leaves were given out."""

@final
class Inference:
    """Text in, the schema of the table that it would be out; with the format of the text.

    Types are those that `dolt schema import` infers; all rows are looked at. Takes no more memory
    for longer texts.
    """

    def __new__(cls, format: str = "csv") -> Inference: ...
    def feed(self, text: bytes) -> None:
        """The next bytes of the text, cut anywhere. Raises `InvalidTextError`.

        After an error the inference is over; start a new one.
        """

    @property
    def columns(self) -> list[str]:
        """The names of the columns that were found so far; none once it is over."""

    def finish(self, table: str, taken: set[int]) -> list[Schema]:
        """The schemas that *table* may have, the best first. Raises `InvalidTextError`.

        The first is to be tried where there are two: its first column is the key, and whether
        that is unique is not known. The last is keyless. *taken* are the tags of all columns of
        the database. Called once.
        """

@final
class TableFinish:
    """Traversal: the end of a `TableBuild`.

    Reads the base's leaves that the text does not repeat, and the nodes on the way to keys that
    change; nothing where no leaf is kept. Raises `InvalidTextError` for keys that stand twice.
    """

    def jobs(self) -> list[TreeJob]:
        """What is left to do of each tree, for several threads; else `result` does it.

        All leaves have to be given back.
        """

    def give(self, leaves: HashedLeaves) -> None: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> BuiltTable: ...

@final
class DiffCount:
    """Traversal: how many rows were added, removed and modified between two tables' rows.

    Reads only nodes that differ. A modification is another value under the same key.
    """

    def __new__(cls, old: Table, new: Table, schema: Schema) -> DiffCount: ...
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> tuple[int, int, int]: ...
