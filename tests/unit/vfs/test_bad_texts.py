"""What is no valid table is refused with its line, column and reason, and nothing changes."""

from pathlib import Path

import pytest
import trio

from pyfs.errors import InvalidTextError
from tests.support.bad_texts import BAD_TEXTS, BadText
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import GOLDEN, opened
from tests.support.shell import shell


def test_there_are_many_of_them() -> None:
    names = [bad.name for bad in BAD_TEXTS]
    assert len(set(names)) == len(names) >= 150


@pytest.mark.parametrize("bad", BAD_TEXTS, ids=lambda bad: bad.name)
def test_a_bad_text_is_refused_where_it_is_bad(tmp_path: Path, bad: BadText) -> None:
    remote = MemoryRemote.of_directory(GOLDEN / "import" / "remote")
    manifest, files = remote.manifests.stored, dict(remote.files.files)

    async def main() -> None:
        async with (
            opened(remote, tmp_path / "cache") as repository,
            shell(tmp_path / "state", repository) as sh,  # type: ignore[arg-type]  # a real one
        ):
            head = repository.branches["main"]
            with pytest.raises(InvalidTextError) as caught:
                await sh.write(f"main/{bad.table}.csv", bad.text)
            error = caught.value
            assert (error.line, error.column, error.value) == (bad.line, bad.column, bad.value)
            assert bad.reason in error.reason

            status = (await sh.read("main/.pyfs/status")).decode()
            said = status.partition("last failed save:\n")[2]
            assert f"file: {bad.table}.csv\n" in said
            assert f"line: {bad.line}\n" in said
            assert ("column: " in said) == bool(bad.column)
            assert f"reason: {error.reason}\n" in said

            await repository.refresh(0)
            assert repository.branches["main"] == head
        assert remote.manifests.stored == manifest
        assert remote.files.files == files

    trio.run(main)
