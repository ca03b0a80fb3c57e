"""What docs/SEMANTICS.md says of each type is what the core does."""

from __future__ import annotations

from pyfs._core import Chunks, Render, Schema, SchemaEdit, TableBuild
from pyfs.errors import InvalidTextError
from tests.support.documented_types import documented_examples, documented_types

COLLATION = 309
"""utf8mb4_0900_bin."""
NAMES = (
    "tinyint smallint mediumint int bigint float double decimal bit char varchar tinytext text "
    "mediumtext longtext binary varbinary tinyblob blob mediumblob longblob date datetime "
    "timestamp time year enum set json geometry point linestring polygon multipoint "
    "multilinestring multipolygon geometrycollection vector"
)


def shown(sql_type: str, field: str) -> str | None:
    """How *field* is shown once a column of that type holds it; None where it is refused."""
    statement = f"CREATE TABLE `t` (`k` int NOT NULL, `v` {sql_type}, PRIMARY KEY (`k`))"
    edit = SchemaEdit.create("t", statement.encode(), set(), COLLATION, None, {})
    empty = edit.without_rows()
    assert empty is not None
    chunks = {chunk.address: chunk for chunk in empty.chunks}
    schema = Schema.decode(chunks[edit.address])
    build = TableBuild(schema, empty.table)
    try:
        build.feed(f"k,v\n1,{field}\n".encode())
        built = build.finish().result()
    except InvalidTextError:
        return None
    chunks |= {chunk.address: chunk for chunk in built.chunks}
    render = Render(schema, Chunks([built.table.rows]))
    while addresses := render.needs(100):
        render.feed([chunks[address] for address in addresses])
    [piece] = render.result().take()
    text = bytes(piece.view())
    assert text.startswith(b"1,")
    assert text.endswith(b"\n")
    return text[2:-1].decode()


def test_every_type_is_there() -> None:
    named = {sql_type.replace("(", " ").split()[0] for sql_type in documented_types()}
    assert named == set(NAMES.split())


def test_each_example_is_shown_or_refused_as_it_says() -> None:
    examples = documented_examples()
    wrong = [
        (example, found)
        for example in examples
        if (found := shown(example.sql_type, example.field)) != example.shown
    ]
    assert wrong == []
    assert len(examples) > 400
