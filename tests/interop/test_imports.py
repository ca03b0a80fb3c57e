"""A text saved as an empty table gives the table that dolt's import of it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.errors import InvalidTextError
from tests.support.repositories import built, head_of, opened_url

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dolt import Clone, Dolt

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]


def keyed(*rows: str) -> str:
    return "".join(f"{row}\n" for row in ("k,v", *rows))


def counted(sql_type: str, *texts: str) -> tuple[str, list[str]]:
    return f"(k {sql_type} AUTO_INCREMENT PRIMARY KEY, v int)", list(texts)


def nested(depth: int) -> str:
    return keyed(f'1,"{"[" * depth}{"]" * depth}"')


TABLES: dict[str, tuple[str, list[str]]] = {
    # The counter stays at the highest number of its type.
    "tiny": counted("tinyint", keyed("126,1"), keyed("127,1"), keyed("-5,1", ",2", "0,3")),
    "tiny_u": counted("tinyint unsigned", keyed("254,1"), keyed("255,1")),
    "medium": counted("mediumint", keyed("8388606,1"), keyed("8388607,1")),
    "large": counted("bigint", keyed("9223372036854775806,1"), keyed("9223372036854775807,1")),
    "large_u": counted(
        "bigint unsigned",
        *(keyed(f"{number},1") for number in (2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)),
    ),
    "ahead": (
        "(k int AUTO_INCREMENT PRIMARY KEY, v int) AUTO_INCREMENT=100",
        [keyed(",1", ",2"), keyed("5,1", ",2"), keyed("200,1", ",2")],
    ),
    "no_key": (
        "(n int PRIMARY KEY, k int AUTO_INCREMENT, KEY (k))",
        ["n,k\n1,\n2,7\n3,\n4,0\n", "n\n1\n2\n"],
    ),
    "documents": (
        "(k int PRIMARY KEY, v json)",
        [nested(127), nested(128), nested(10_000), nested(10_001), keyed('1,"[1E5,0.10,-0,1e21]"')],
    ),
    "bits": ("(k int PRIMARY KEY, v bit(64))", [keyed(f"1,b'{'1' * 64}'"), keyed("1,-1")]),
    "zeros": ("(k int PRIMARY KEY, v datetime)", [keyed("1,0-0-0"), keyed("1,0000-00-00 0:0:0")]),
    "nulls": (
        "(k int PRIMARY KEY, v int, w varchar(9), UNIQUE KEY (v), UNIQUE KEY (v, w))",
        ["k,v,w\n1,,a\n2,,a\n3,1,\n4,,\n", "k,v,w\n1,1,\n2,1,\n"],
    ),
    "checks": (
        "(k int PRIMARY KEY, v int, w int, CHECK (v > w))",
        ["k,v,w\n1,2,1\n2,,1\n3,1,\n", "k,v,w\n1,1,1\n"],
    ),
    "prefixes": (
        "(k int PRIMARY KEY, v text, w blob, KEY (v(5)), UNIQUE KEY (v(10)), UNIQUE KEY (w(4)))",
        [
            "k,v,w\n1,abcdefghi,abcd\n2,abcdefghiY,abce\n3,,\n4,,\n5,\"\",\"\"\n",
            "k,v,w\n1,abcdefghijX,a\n2,abcdefghijY,b\n",
            "k,v,w\n1,äääääääääa,ä\n2,äääääääääb,äb\n",
            "k,v,w\n1,a,abcdX\n2,b,abcdY\n",
        ],
    ),
    "whole_texts": (
        "(k int PRIMARY KEY, v text, UNIQUE KEY (v))",
        [keyed("1,a", "2,", "3,"), keyed("1,a", "2,a"), keyed(f"1,{'x' * 3000}", f"2,{'x' * 301}")],
    ),
    "accents": (
        "(k varchar(9) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v int)",
        [keyed("b,1", "A,2", "é,3", "Z,4", "ß,5", "æ,6", "ae,7"), keyed("e,1", "É,2"),
         keyed("a,1", '"a ",2')],
    ),
    "general": (
        "(k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY, v int)",
        [keyed("ss,1", "ß,2"), keyed("s,1", "ß,2"), keyed("a,1", '"a ",2')],
    ),
    "long_rows": (
        "(k int PRIMARY KEY, v text, w mediumtext)",
        [f"k,v,w\n1,{'x' * v},{'y' * w}\n"
         for v, w in ((1000, 1046), (1000, 1047), (1000, 1048), (2048, 0), (65535, 70000))],
    ),
    "digits": (
        "(k int PRIMARY KEY, v decimal(65,0), w decimal(65,30))",
        [f"k,v,w\n1,{'9' * 65},{'9' * 35}.{'9' * 30}\n", f"k,v,w\n1,{'9' * 66},0\n"],
    ),
}  # fmt: skip


def imported(clone: Clone, table: str, text: str) -> str | None:
    """The table's hash once dolt has imported *text*; None where it refuses that."""
    clone.dolt("reset", "--hard")
    # Replacing the rows would start the counter anew, adding them would replace equal ones.
    mode = "-u" if "AUTO_INCREMENT" in TABLES[table][0] else "-r"
    (clone.directory / "rows.csv").write_text(text)
    done = clone.try_dolt("table", "import", mode, table, "rows.csv")
    return clone.hash_of(table) if done.returncode == 0 else None


def test_the_same_text_gives_the_same_hash(dolt: Dolt, tmp_path: Path) -> None:
    clone = dolt.init("imports")
    creates = [f"CREATE TABLE `{table}` {definition}" for table, (definition, _) in TABLES.items()]
    clone.commit(*creates)
    (tmp_path / "remote").mkdir()
    url = (tmp_path / "remote").as_uri()
    clone.dolt("remote", "add", "origin", url)
    clone.dolt("push", "origin", "main")
    different, refused = [], 0

    async def main() -> None:
        nonlocal refused
        async with opened_url(url, tmp_path / "cache") as repository:
            head = await head_of(repository)
            for table, (_, texts) in TABLES.items():
                for text in texts:
                    theirs = imported(clone, table, text)
                    refused += theirs is None
                    try:
                        ours = str((await built(head, table, text.encode())).address)
                    except InvalidTextError:
                        ours = None
                    if ours != theirs:
                        different.append((table, text[:80], ours, theirs))

    trio.run(main)
    assert different == []
    assert refused > 8
