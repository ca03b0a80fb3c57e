"""What dolt stored of the texts it imported reads as it exports it, and can be saved again."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import GOLDEN, built, head_of, opened, text_of

IMPORT = GOLDEN / "import"


def raw(text: str | dict[str, Any]) -> bytes:
    """A text as the golden's README describes it."""
    if isinstance(text, str):
        return text.encode()
    times = int(text.get("times", 1))
    if "hex" in text:
        return bytes.fromhex(str(text["hex"])) * times
    before, repeated, after = (str(text.get(part, "")) for part in ("before", "repeat", "after"))
    return (before + repeated * times + after).encode()


def exports() -> dict[str, bytes]:
    """The text of each table with the values that dolt took."""
    texts = {}
    for table in json.loads((IMPORT / "values.json").read_text()):
        lines = [
            b"%d,%s\n" % (number, raw(case.get("stored", case["text"])))
            for number, case in enumerate(table["cases"])
            if "refused" not in case
        ]
        texts[table["table"]] = b"k,v\n" + b"".join(lines)
    return texts


def run_with(cache_dir: Path, body: Callable[[Repository], Awaitable[None]]) -> None:
    async def main() -> None:
        remote = MemoryRemote.of_directory(IMPORT / "remote")
        async with opened(remote, cache_dir) as repository:
            await body(repository)

    trio.run(main)


def test_every_value_reads_as_dolt_shows_it(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        texts = exports()
        different = [name for name, text in texts.items() if await text_of(head, name) != text]
        assert different == []
        assert len(texts) > 50

    run_with(tmp_path, body)


def test_what_is_shown_is_taken_for_the_same(tmp_path: Path) -> None:
    """Infinite doubles and members that are none, too, which dolt shows and does not read."""

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        saved = {}
        for name, text in exports().items():
            if await repository.refuses_writes(head, name) is None:
                saved[name] = (await built(head, name, text)).address
        assert saved == {name: head.tables[name] for name in saved}
        assert {"dec_5_2", "double_", "enum_", "enum_empty"} <= saved.keys()

    run_with(tmp_path, body)
