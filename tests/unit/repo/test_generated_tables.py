"""Forty generated tables that dolt stored: texts as it exports them, hashes as it computes them."""

import json
import tarfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import pytest
import trio

from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    GOLDEN,
    built,
    head_of,
    opened,
    saved_tables,
    stream_everything,
    text_of,
)

GENERATED = GOLDEN / "generated"
BRANCHES = ("main", "edited")
REFUSED = {
    "is a key in collation": 1,
}
"""Why some refuse writes, and how many do."""


@cache
def exports(branch: str) -> dict[str, bytes]:
    """What dolt exported."""
    with tarfile.open(GENERATED / "exports.tar.xz") as archive:
        files = ((Path(entry.name), archive.extractfile(entry)) for entry in archive)
        return {path.stem: file.read() for path, file in files if file and path.parts[0] == branch}


def hashes(branch: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((GENERATED / "tables.json").read_text())["hashes"][branch]
    return found


def run_with(cache_dir: Path, body: Callable[[Repository], Awaitable[None]]) -> None:
    async def main() -> None:
        remote = MemoryRemote.of_directory(GENERATED / "remote")
        async with opened(remote, cache_dir) as repository:
            await body(repository)

    trio.run(main)


async def refused(repository: Repository) -> dict[str, str]:
    head = await head_of(repository)
    reasons = {name: await repository.refuses_writes(head, name) for name in head.tables}
    return {name: reason for name, reason in reasons.items() if reason is not None}


@pytest.mark.parametrize("branch", BRANCHES)
def test_each_reads_as_dolt_exported_it(tmp_path: Path, branch: str) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository, branch)
        assert {name: str(address) for name, address in head.tables.items()} == hashes(branch)
        texts = {name: await text_of(head, name) for name in head.tables}
        assert [name for name, text in texts.items() if text != exports(branch)[name]] == []
        assert len(texts) == 40

    run_with(tmp_path, body)


@pytest.mark.parametrize("way", ["built", "edited", "streamed"])
@pytest.mark.parametrize(("old", "new"), [BRANCHES, BRANCHES[::-1], ("main", "main")])
def test_a_text_gives_dolts_hash(
    tmp_path: Path, old: str, new: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the whole text, from what it does not share with the old one, and on local disk."""
    if way == "streamed":
        stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        base, not_written = await head_of(repository, old), await refused(repository)
        different = []
        for name, text in exports(new).items():
            if name in not_written:
                continue
            if way == "edited":
                await text_of(base, name)
            table = await built(base, name, text)
            if str(table.address) != hashes(new)[name]:
                different.append(name)
        assert different == []

    run_with(tmp_path, body)


@pytest.mark.parametrize("way", ["built", "streamed"])
def test_all_of_them_in_one_save(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "streamed":
        stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        head, not_written = await head_of(repository), await refused(repository)
        texts = {n: text for n, text in exports("edited").items() if n not in not_written}
        changes = {name: await built(head, name, text) for name, text in texts.items()}
        assert (await repository.save("main", head.commit.address, changes, None)).changed
        assert await saved_tables(repository) == exports("main") | texts

    run_with(tmp_path, body)


def test_saving_what_dolt_exported_makes_no_commit(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head, not_written = await head_of(repository), await refused(repository)
        texts = {n: text for n, text in exports("main").items() if n not in not_written}
        changes = {name: await built(head, name, text) for name, text in texts.items()}
        saved = await repository.save("main", head.commit.address, changes, None)
        assert (saved.commit, saved.changed) == (head.commit.address, False)

    run_with(tmp_path, body)


def test_what_refuses_writes_is_known(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        counts: dict[str, int] = {}
        for name, reason in (await refused(repository)).items():
            known = [part for part in REFUSED if part in reason]
            assert known, f"{name}: {reason}"
            counts[known[0]] = counts.get(known[0], 0) + 1
        assert counts == REFUSED

    run_with(tmp_path, body)
