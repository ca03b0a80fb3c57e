"""Tables of many schemas from a seed, with rows, and a change of these rows.

The same seed gives the same tables. What SQL makes of them and what text is saved say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from tests.support.column_kinds import (
    COLLATED,
    FOREIGN,
    GEOMETRIES,
    INTEGERS,
    KINDS,
    VECTORS,
    Kind,
    Value,
    plain,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Row = list[Value]
Key = tuple[str | bytes | None, ...]

ROWS: Final = (0, 1, 2, 7, 40, 40, 150, 150, 150, 400, 400, 1200, 1200, 2000)
"""How many rows a table has, mostly."""
MANY_ROWS: Final = {20: 5000, 61: 8000, 102: 12000, 143: 20000, 184: 50000, 205: 50000}
"""How many some have, by their number."""
LARGE_ROWS_MAX: Final = 250
CHANGES_MAX: Final = 20
INSERT_ROWS: Final = 200

PARENTS_EVERY: Final = 20
"""Every so many tables one has a single integer for a key, which others may name."""

ODD_NAMES: Final = ("select", "two words", "Ünïcode", 'quo"te', "com,ma", "UPPER", "x-1", "a.b")
CHECKS: Final = (
    "`{}` > 0",
    "`{}` BETWEEN 1 AND 100",
    "`{}` >= 1 AND `{}` < 101",
    "`{}` IS NULL OR `{}` <> 0",
    "NOT (`{}` = 0)",
    "`{}` + 1 > 1",
    "`{}` NOT IN (0, -1, 101)",
)
"""True of what `SMALL` makes."""
SMALL: Final = Kind("int", lambda rng: str(rng.randint(1, 100)), plain)
SERIAL: Final = Kind("bigint", lambda rng: str(rng.randint(1, 1 << 40)), plain, roomy=True)
NUMBER: Final = Kind("int", lambda rng: str(rng.randint(0, 400)), plain)


@dataclass(frozen=True)
class Column:
    """A column. A generated one has what it is computed by in place of made values."""

    name: str
    kind: Kind
    nullable: bool = True
    clause: str = ""
    computed: Callable[[Row], Value] | None = None

    def sql(self) -> str:
        null = "" if self.nullable else " NOT NULL"
        return f"`{self.name}` {self.kind.sql}{null} {self.clause}".rstrip()

    def literal(self, value: Value) -> str:
        return "NULL" if value is None else self.kind.literal(value)


@dataclass(frozen=True)
class Index:
    """A secondary index: positions of columns, each with the length of its prefix or 0."""

    name: str
    columns: tuple[tuple[int, int], ...]
    unique: bool
    spatial: bool = False


@dataclass
class Change:
    """What becomes of some rows."""

    deleted: list[Row] = field(default_factory=list)
    updated: list[tuple[Row, Row]] = field(default_factory=list)
    inserted: list[Row] = field(default_factory=list)


@dataclass
class Table:
    """A table, its rows, and how they change."""

    name: str
    columns: list[Column]
    key: tuple[int, ...]
    """The positions of the key's columns; empty for a keyless table."""
    indexes: list[Index]
    constraints: list[str]
    rows: list[Row] = field(default_factory=list)
    change: Change = field(default_factory=Change)
    edited: list[Row] = field(default_factory=list)
    """The rows after the change."""
    header: list[int] = field(default_factory=list)
    """The order in which a saved text has the columns."""

    def create(self) -> str:
        """The statement that makes it."""
        parts = [column.sql() for column in self.columns]
        if self.key:
            parts.append(f"PRIMARY KEY ({self._names(self.key)})")
        for index in self.indexes:
            named = ", ".join(
                f"`{self.columns[at].name}`" + (f"({prefix})" if prefix else "")
                for at, prefix in index.columns
            )
            sort = "UNIQUE " * index.unique + "SPATIAL " * index.spatial
            parts.append(f"{sort}KEY `{index.name}` ({named})")
        inner = ",\n  ".join(parts + self.constraints)
        return f"CREATE TABLE `{self.name}` (\n  {inner}\n);"

    def inserts(self, rows: Sequence[Row]) -> Iterator[str]:
        """The statements that add *rows*."""
        stored = [at for at, column in enumerate(self.columns) if column.computed is None]
        for start in range(0, len(rows), INSERT_ROWS):
            values = ",\n".join(
                f"({', '.join(self.columns[at].literal(row[at]) for at in stored)})"
                for row in rows[start : start + INSERT_ROWS]
            )
            yield f"INSERT INTO `{self.name}` ({self._names(stored)}) VALUES\n{values};"

    def edits(self) -> Iterator[str]:
        """The statements that make the change."""
        deleted, updated, inserted = self.change.deleted, self.change.updated, self.change.inserted
        if self.is_spatial:
            # Dolt 2.3.1 breaks where it updates a row that has a line or polygon in an index.
            deleted = deleted + [old for old, _ in updated]
            inserted = [new for _, new in updated] + inserted
            updated = []
        if deleted:
            which = dict.fromkeys(self._where(row) for row in deleted)
            yield f"DELETE FROM `{self.name}` WHERE {' OR '.join(which)};"
        for old, new in updated:
            assigned = ", ".join(
                f"`{column.name}` = {column.literal(after)}"
                for column, before, after in zip(self.columns, old, new, strict=True)
                if (before != after or not self.key) and column.computed is None
            )
            yield f"UPDATE `{self.name}` SET {assigned} WHERE {self._where(old)};"
        yield from self.inserts(inserted)

    @property
    def is_spatial(self) -> bool:
        """Whether it has a spatial index."""
        return any(index.spatial for index in self.indexes)

    def text(self, rows: Sequence[Row]) -> bytes:
        """*rows* as CSV."""
        lines = [b",".join(_field(self.columns[at].name) for at in self.header)]
        lines += [b",".join(_field(row[at]) for at in self.header) for row in rows]
        return b"\n".join(lines) + b"\n"

    def _names(self, positions: Sequence[int]) -> str:
        return ", ".join(f"`{self.columns[at].name}`" for at in positions)

    def _where(self, row: Row) -> str:
        """Tells *row* from others; a keyless table's first column tells which rows are meant."""
        equal = (
            f"`{self.columns[at].name}` = {self.columns[at].literal(row[at])}"
            for at in self.key or (0,)
        )
        return f"({' AND '.join(equal)})"


def _field(value: Value) -> bytes:
    if value is None:
        return b""
    raw = value.encode() if isinstance(value, str) else value
    bare = raw and not any(byte in raw for byte in b'",\r\n') and raw != b"\\."
    if bare and not raw.decode("utf-8", "replace")[:1].isspace():
        return raw
    return b'"' + raw.replace(b'"', b'""') + b'"'


def generate(seed: int, count: int, rows_max: int = 50_000) -> list[Table]:
    """*count* tables, parents before children."""
    rng = Random(seed)
    tables: list[Table] = []
    for number in range(count):
        wanted = min(MANY_ROWS.get(number, rng.choice(ROWS)), rows_max)
        table = _Plan(rng, number, wanted, tables).table()
        tables.append(table)
    return tables


class _Plan:
    """Makes one table."""

    def __init__(self, rng: Random, number: int, wanted: int, others: list[Table]) -> None:
        self._rng = rng
        self._number = number
        self._others = others
        self._many = wanted > 2000
        keyless = not self._many and number % 9 == 4
        columns = [Column("n", NUMBER, nullable=False)] if keyless else []
        parent = number % PARENTS_EVERY == 2
        if parent:
            wanted = max(wanted, 40)
        columns += [self._column(len(columns) + at) for at in range(rng.randint(1, 6))]
        self._columns = columns
        self._constraints: list[str] = []
        if parent:
            columns.append(Column("id", INTEGERS[number % 2 + 6], nullable=False))
            self._key: tuple[int, ...] = (len(columns) - 1,)
        else:
            self._key = () if keyless else self._make_key(wanted)
        if any(column.kind.large for column in columns):
            wanted = min(wanted, LARGE_ROWS_MAX)
        self._wanted = wanted
        self._spatial: list[Index] = []
        self._add_feature()
        self._indexes = self._make_indexes() + self._spatial
        self._seen: list[set[Key]] = [set() for _ in self._uniques()]

    def table(self) -> Table:
        name = f"t{self._number:03}" + (" odd é" if self._number % 50 == 17 else "")
        table = Table(name, self._columns, self._key, self._indexes, self._constraints)
        table.rows = [row for _ in range(self._wanted) if (row := self._row()) is not None]
        self._rng.shuffle(table.rows)
        self._edit(table)
        shown = list(range(len(self._columns)))
        table.header = self._rng.sample(shown, len(shown)) if self._number % 3 == 1 else shown
        return table

    def _column(self, at: int) -> Column:
        rng = self._rng
        small = [kind for kind in KINDS if not kind.large]
        kind = rng.choice(small if self._many else KINDS)
        name = rng.choice(ODD_NAMES) + str(at) if rng.random() < 0.1 else f"c{at}"
        clause = ""
        if kind in INTEGERS and rng.random() < 0.2:
            clause = f"DEFAULT '{rng.randint(0, 9)}'"
        elif kind.sql.startswith("varchar(20") and rng.random() < 0.3:
            clause = "DEFAULT 'it''s, \"so\"' COMMENT 'a ''comment'''"
        return Column(name, kind, rng.random() < 0.6, clause)

    def _make_key(self, wanted: int) -> tuple[int, ...]:
        rng = self._rng
        usable = [at for at, column in enumerate(self._columns) if column.kind.key]
        chosen = rng.sample(usable, min(len(usable), rng.choice([1, 1, 2, 3])))
        roomy_one = any(self._columns[at].kind.roomy for at in chosen)
        if not chosen or (wanted > 50 and not roomy_one):
            roomy = [kind for kind in KINDS if kind.key and kind.roomy]
            kind = SERIAL if self._number % 7 == 3 else rng.choice(roomy)
            chosen.append(len(self._columns))
            self._columns.append(Column(f"k{len(self._columns)}", kind))
        for at in chosen:
            column = self._columns[at]
            counted = "AUTO_INCREMENT" if column.kind is SERIAL and len(chosen) == 1 else ""
            self._columns[at] = Column(column.name, column.kind, nullable=False, clause=counted)
        return tuple(chosen)

    def _add_feature(self) -> None:
        """One of what few tables have, by the table's number."""
        if self._many:
            return
        name = f"f{len(self._columns)}"
        match self._number % 40:
            case 5 | 12 | 33:
                check = self._rng.choice(CHECKS)
                check = check.format(*[name] * check.count("{}"))
                self._columns.append(Column(name, SMALL))
                self._constraints.append(f"CONSTRAINT `chk_{self._number}` CHECK ({check})")
            case 8 | 27:
                self._add_generated(name)
            case 14 | 38:
                self._columns.append(Column(name, self._geometry()))
            case 1 | 11 | 13 | 28:
                at = len(self._columns)
                self._columns.append(Column(name, self._geometry(), nullable=False))
                self._spatial.append(Index(f"s{at}", ((at, 0),), unique=False, spatial=True))
            case 25:
                self._columns.append(Column(name, self._rng.choice(VECTORS)))
            case 10 | 34:
                self._add_generated_text(name)
            case 21 | 36:
                self._add_foreign_key(name)
            case 30:
                self._columns.append(Column(name, self._rng.choice(FOREIGN), nullable=False))
                self._key = (len(self._columns) - 1,)

    def _geometry(self) -> Kind:
        return GEOMETRIES[self._number // 7 % len(GEOMETRIES)]

    def _add_generated(self, name: str) -> None:
        source = len(self._columns)
        stored = "STORED" if self._number % 40 == 8 else "VIRTUAL"

        def double(row: Row) -> Value:
            value = row[source]
            return None if value is None else str(2 * int(value) + 1)

        self._columns.append(Column(name, SMALL))
        clause = f"GENERATED ALWAYS AS (`{name}` * 2 + 1) {stored}"
        self._columns.append(Column(f"g{source}", SMALL, clause=clause, computed=double))

    def _add_generated_text(self, name: str) -> None:
        source = len(self._columns)
        stored = "STORED" if self._number % 40 == 34 else "VIRTUAL"

        def greeting(row: Row) -> Value:
            value = row[source]
            return None if value is None else f"<{int(value)}>"

        self._columns.append(Column(name, SMALL))
        clause = f"GENERATED ALWAYS AS (concat('<', `{name}`, '>')) {stored}"
        kind = Kind("varchar(20)", SMALL.make, quoted)
        self._columns.append(Column(f"g{source}", kind, clause=clause, computed=greeting))

    def _add_foreign_key(self, name: str) -> None:
        parent = self._rng.choice(self._others[2::PARENTS_EVERY])
        (at,) = parent.key
        both = {row[at] for row in parent.rows} & {row[at] for row in parent.edited}
        values = sorted(map(str, both))
        kind = Kind(parent.columns[at].kind.sql, lambda rng: rng.choice(values), plain)
        self._columns.append(Column(name, kind, nullable=False))
        self._constraints.append(
            f"CONSTRAINT `fk_{self._number}` FOREIGN KEY (`{name}`) "
            f"REFERENCES `{parent.name}` (`{parent.columns[at].name}`)"
        )

    def _make_indexes(self) -> list[Index]:
        rng = self._rng
        indexes = []
        for number in range(rng.choice([0, 0, 1, 1, 2, 3])):
            usable = [at for at, column in enumerate(self._columns) if self._indexable(column)]
            if not usable:
                break
            chosen = rng.sample(usable, min(len(usable), rng.choice([1, 1, 2, 3])))
            columns = [(at, self._prefix(at)) for at in chosen]
            roomy = any(self._columns[at].kind.roomy for at in chosen)
            unique = roomy and not any(length for _, length in columns) and rng.random() < 0.5
            indexes.append(Index(f"i{number}", tuple(columns), unique))
        return indexes

    def _indexable(self, column: Column) -> bool:
        # Dolt 2.3.1 forgets the entry of a long value's prefix when a row without a key goes.
        prefix = column.kind.prefix and (self._key or not column.kind.large)
        return column.computed is None and (column.kind.key or bool(prefix))

    def _prefix(self, at: int) -> int:
        kind = self._columns[at].kind
        if at in self._key and self._number % 10:
            return 0  # few: pyfs refuses prefixes of the key's columns
        if kind.key and (not kind.prefix or self._rng.random() < 0.7):
            return 0
        return self._rng.choice([1, 3, 10])

    def _uniques(self) -> list[tuple[int, ...]]:
        own = [tuple(at for at, _ in index.columns) for index in self._indexes if index.unique]
        return [self._key, *own] if self._key else own

    def _row(self, old: Row | None = None) -> Row | None:
        """A row whose unique keys are new; None when no value is left. One of *old*'s key."""
        rng = self._rng
        for _ in range(10):
            row: Row = []
            for at, column in enumerate(self._columns):
                if old is not None and (at in (self._key or (0,)) or rng.random() < 0.5):
                    row.append(old[at])
                elif column.nullable and rng.random() < 0.15:
                    row.append(None)
                else:
                    row.append(column.kind.make(rng))
            for at, column in enumerate(self._columns):
                if column.computed is not None:
                    row[at] = column.computed(row)
            if self._claim(row, old):
                return row
        return None

    def _claim(self, row: Row, old: Row | None) -> bool:
        keys = [self._folded(row, unique) for unique in self._uniques()]
        before = [old and self._folded(old, unique) for unique in self._uniques()]
        changed = [key != was for key, was in zip(keys, before, strict=True)]
        if any(
            new and key in seen for key, seen, new in zip(keys, self._seen, changed, strict=True)
        ):
            return False
        for key, seen in zip(keys, self._seen, strict=True):
            if None not in key:
                seen.add(key)
        return True

    def _folded(self, row: Row, unique: tuple[int, ...]) -> Key:
        values = ((self._columns[at].kind, row[at]) for at in unique)
        return tuple(None if value is None else kind.fold(value) for kind, value in values)

    def _edit(self, table: Table) -> None:
        """Chooses the change and makes it."""
        rng, change = self._rng, table.change
        some = rng.sample(table.rows, min(len(table.rows), 2 * CHANGES_MAX))
        if self._number % 23 == 11:
            some = []  # nothing but new rows
        deletes, updates = some[: len(some) // 2], some[len(some) // 2 :]
        if table.is_spatial and not table.key:
            updates = []  # one statement changes all equal rows
        named = table.key or (0,)
        gone = {tuple(row[at] for at in named) for row in deletes}
        change.deleted = deletes
        after: dict[Key, Row] = {}
        for old in updates:
            key = tuple(old[at] for at in named)
            if key in gone or key in after:
                continue
            new = self._row(old) if table.key or not self._uniques() else None
            if new is not None and new != old:
                change.updated.append((old, new))
                after[key] = new
        for row in table.rows:
            key = tuple(row[at] for at in named)
            if key not in gone:
                table.edited.append(after.get(key, row))
        fresh = [self._row() for _ in range(rng.randint(1, CHANGES_MAX))]
        change.inserted = [row for row in fresh if row is not None]
        if not self._uniques() and table.rows:
            change.inserted.append(rng.choice(table.rows))  # once more
        table.edited += change.inserted


def collated_keys(tables: Sequence[Table]) -> list[str]:
    """The names of tables with a key or an index in a collation that is not the default's."""
    return [
        table.name
        for table in tables
        if any(
            table.columns[at].kind in (*COLLATED, *FOREIGN)
            for at in {*table.key, *(at for index in table.indexes for at, _ in index.columns)}
        )
    ]
