"""Messages that dolt wrote are read as dolt reads them, and written as it writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from pyfs._core import (
    Address,
    AddressMapScan,
    Chunk,
    Commit,
    RootValue,
    Table,
    Tag,
    branch_name_error,
    foreign_keys,
    store_root,
)
from pyfs.errors import CorruptionError, UnsupportedError

GOLDEN = Path(__file__).parents[2] / "golden" / "objects"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


def objects(file_id: str) -> list[tuple[Chunk, Any]]:
    """Every golden object of a kind, with what it means."""
    found = []
    for name in ["messages.json", "primes.json"]:
        for item in golden(name)["chunks"]:
            if item["file_id"] == file_id:
                address = Address.parse(item["address"])
                found.append((Chunk.verify(address, bytes.fromhex(item["hex"])), item["decoded"]))
    assert found
    return found


def scan_at_hand(scan: AddressMapScan) -> dict[str, str]:
    assert scan.needs(9) == []
    return {name: str(address) for name, address in scan.result().items()}


def test_commits_say_who_when_and_why() -> None:
    for chunk, meaning in objects("DCMT"):
        commit = Commit.decode(chunk)
        assert commit.address == chunk.address
        assert {
            "root": str(commit.root),
            "height": commit.height,
            "parents": [str(parent) for parent in commit.parents],
            "parent_closure": str(commit.closure),
            "name": commit.name,
            "email": commit.email,
            "description": commit.message,
            "timestamp_millis": commit.timestamp_ms,
            "user_timestamp_millis": commit.author_timestamp_ms,
        }.items() <= meaning.items()
        assert commit.committer_name == (meaning["committer_name"] or commit.name)
        assert commit.committer_email == (meaning["committer_email"] or commit.email)


def test_a_commit_is_made_as_dolt_makes_it() -> None:
    commits = {str(chunk.address): (chunk, meaning) for chunk, meaning in objects("DCMT")}
    made = 0
    for chunk, meaning in commits.values():
        parents = [commits.get(parent) for parent in meaning["parents"]]
        plain = meaning["timestamp_millis"] == meaning["user_timestamp_millis"] and not (
            meaning["signature"] or meaning["committer_name"] or meaning["committer_email"]
        )
        if not plain or None in parents:
            continue
        commit, again = Commit.create(
            root=Address.parse(meaning["root"]),
            parents=[Commit.decode(parent[0]) for parent in parents if parent],
            closure=Address.parse(meaning["parent_closure"]),
            name=meaning["name"],
            email=meaning["email"],
            message=meaning["description"],
            timestamp_ms=meaning["timestamp_millis"],
        )
        assert commit.address == again.address == chunk.address
        assert again.contents() == chunk.contents()
        made += 1
    assert made > 0


def test_tags_say_what_they_tag() -> None:
    for chunk, meaning in objects("DTAG"):
        tag = Tag.decode(chunk)
        assert (str(tag.commit), tag.name, tag.email) == (
            meaning["commit"],
            meaning["name"],
            meaning["email"],
        )
        assert (tag.message, tag.timestamp_ms) == (meaning["desc"], meaning["ts"])


def test_a_root_value_keeps_all_but_its_tables() -> None:
    for chunk, meaning in objects("RTVL"):
        root = RootValue.decode(chunk)
        assert str(root.foreign_keys) == meaning["foreign_key_addr"]
        tables = dict(zip(meaning["tables"]["keys"], meaning["tables"]["addresses"], strict=True))
        assert scan_at_hand(AddressMapScan.tables(chunk)) == tables
        addresses = {name: Address.parse(address) for name, address in tables.items()}
        other = RootValue.decode(root.with_tables({}, root.foreign_keys)[-1])
        assert other.foreign_keys == root.foreign_keys
        assert (
            other.with_tables(addresses, root.foreign_keys)[-1].address
            == root.address
            == chunk.address
        )


def test_the_empty_root_value_is_that_of_dolt_init() -> None:
    assert str(RootValue.empty().address) == "vt5n73lho7q40t91ucetlr9qv4eqhasl"
    assert scan_at_hand(AddressMapScan.tables(RootValue.empty().chunk())) == {}


def test_a_store_root_lists_its_datasets() -> None:
    for chunk, meaning in objects("STRT"):
        if meaning["level"]:
            continue
        datasets = dict(zip(meaning["keys"], meaning["addresses"], strict=True))
        assert scan_at_hand(AddressMapScan.datasets(chunk)) == datasets
        # Whatever the order in which they are given.
        shuffled = {name: Address.parse(datasets[name]) for name in reversed(datasets)}
        assert [made.address for made in store_root(shuffled)] == [chunk.address]


def test_foreign_keys_name_both_tables() -> None:
    for chunk, meaning in objects("DFKC"):
        keys = [(key.name, key.child, key.parent) for key in foreign_keys(chunk)]
        assert keys == [(key["name"], key["ctab"], key["ptab"]) for key in meaning]


def test_tables_say_where_their_rows_are() -> None:
    with_artifacts = 0
    for chunk, meaning in objects("DTBL"):
        table = Table.decode(chunk)
        assert str(table.schema) == meaning["schema"]
        assert table.rows.contents().hex() == meaning["primary_index_hex"]
        assert table.rows.address == Address.of(table.rows.contents())
        assert table.auto_increment == meaning["auto_increment_value"]
        none = str(Address.EMPTY)
        left = [*meaning["conflicts"], meaning["violations"], meaning["artifacts"]]
        assert table.has_artifacts == any(address != none for address in left)
        with_artifacts += table.has_artifacts
    assert with_artifacts == 1


def test_branch_names_are_those_that_dolt_takes() -> None:
    names = golden("refnames.json")
    assert [branch_name_error(name) for name in names["branch_ok"]] == [None] * 23
    assert all(branch_name_error(name) for name in names["branch_bad"])


def test_errors_name_what_was_read() -> None:
    chunk, _ = objects("DTAG")[0]
    with pytest.raises(CorruptionError, match='commit: its file identifier is "DTAG"'):
        Commit.decode(chunk)
    with pytest.raises(CorruptionError, match="0 bytes that are no message"):
        Table.decode(Chunk.verify(Address.of(b""), b""))
    doltgres = b"\x1b\0\0\x0c" + b"\x08\0\0\0DGRV" + b"\0" * 4
    with pytest.raises(UnsupportedError, match="Doltgres"):
        RootValue.decode(Chunk.verify(Address.of(doltgres), doltgres))


def test_a_height_that_leaves_no_room_above_is_refused() -> None:
    chunk, _ = objects("DCMT")[0]
    raw = chunk.contents().replace((4).to_bytes(8, "little"), b"\xff" * 8)
    parent = Commit.decode(Chunk.verify(Address.of(raw), raw))
    assert parent.height == 2**64 - 1
    with pytest.raises(CorruptionError, match="height"):
        Commit.create(
            root=Address.EMPTY,
            parents=[parent],
            closure=Address.EMPTY,
            name="Ada",
            email="ada@example.com",
            message="next",
            timestamp_ms=0,
        )
