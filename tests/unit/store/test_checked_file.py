"""Files of the cache of which every byte is verified when it is read."""

import os
import random
from pathlib import Path

import pytest

from pyfs.store.checked_file import BLOCK_BYTES, CheckedFile, CheckedWriter, DamagedFileError

LENGTHS = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 5]


def sealed(path: Path, length: int) -> bytes:
    contents = os.urandom(length)
    with path.open("x+b") as file:
        writer = CheckedWriter(file.fileno())
        assert writer.write(contents) == length
        writer.finish()
    return contents


def opened(path: Path) -> CheckedFile:
    file = CheckedFile.open(path)
    assert file is not None
    return file


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_read_is_what_was_written(tmp_path: Path, length: int) -> None:
    contents = sealed(tmp_path / "file", length)
    file = opened(tmp_path / "file")
    assert len(file) == length
    edges = {0, 1, length // 2, max(0, length - 1), length, length + 1}
    edges |= {BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1}
    for start in sorted(edges):
        for count in (0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 1 << 40):
            assert file.read(start, count) == contents[start : start + count]


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    contents = sealed(tmp_path / "file", 2 * BLOCK_BYTES + 100)
    good = (tmp_path / "file").read_bytes()
    places = [0, BLOCK_BYTES, len(contents) - 1, *range(len(contents), len(good))]
    places += random.Random(1).sample(range(len(contents)), 50)
    for at in places:
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        (tmp_path / "file").write_bytes(bad)
        file = CheckedFile.open(tmp_path / "file")
        if at >= len(contents):
            assert file is None, at
            continue
        assert file is not None
        with pytest.raises(DamagedFileError, match="other bytes"):
            file.read(at, 1)
        # Other blocks are as good as they were.
        other = (at // BLOCK_BYTES + 1) % 3 * BLOCK_BYTES
        assert file.read(other, 10) == contents[other : other + 10]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_file_of_another_length_is_none(tmp_path: Path, length: int) -> None:
    sealed(tmp_path / "file", length)
    good = (tmp_path / "file").read_bytes()
    for bad in (b"", good[:1], good[:-1], good[1:], good[: len(good) // 2], good + b"\0"):
        (tmp_path / "file").write_bytes(bad)
        assert CheckedFile.open(tmp_path / "file") is None
    (tmp_path / "file").unlink()
    assert CheckedFile.open(tmp_path / "file") is None
    (tmp_path / "file").mkdir()
    assert CheckedFile.open(tmp_path / "file") is None


def test_pieces_of_any_length_make_the_same_file(tmp_path: Path) -> None:
    contents = sealed(tmp_path / "file", 3 * BLOCK_BYTES + 5)
    chance = random.Random(1)
    with (tmp_path / "pieces").open("x+b") as file:
        writer = CheckedWriter(file.fileno())
        writer.write(b"what was begun in another way" * 10_000)
        assert writer.restart() is writer
        left = contents
        while left:
            count = chance.choice([1, 100, BLOCK_BYTES, BLOCK_BYTES - 1])
            writer.write(left[:count])
            left = left[count:]
        made = writer.finish()
    assert made.read(0, len(contents)) == contents
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("cut", [False, True])
def test_what_happens_to_a_file_while_it_is_written_is_found(tmp_path: Path, cut: bool) -> None:
    with (tmp_path / "file").open("x+b") as file:
        writer = CheckedWriter(file.fileno())
        writer.write(os.urandom(2 * BLOCK_BYTES))
        if cut:
            os.truncate(tmp_path / "file", 0)
        else:
            os.pwrite(file.fileno(), b"damage", 7)
        made = writer.finish()
    for damaged in (made, opened(tmp_path / "file")):
        with pytest.raises(DamagedFileError):
            damaged.read(0, 10)


def test_what_happens_to_a_file_after_it_was_opened_is_found(tmp_path: Path) -> None:
    contents = sealed(tmp_path / "file", 2 * BLOCK_BYTES)
    file = opened(tmp_path / "file")
    assert file.read(0, 1 << 40) == contents
    with (tmp_path / "file").open("r+b") as stream:
        stream.write(b"\0\xff")
    with pytest.raises(DamagedFileError):
        file.read(0, 1)
    assert file.read(BLOCK_BYTES, BLOCK_BYTES) == contents[BLOCK_BYTES:]
    os.truncate(tmp_path / "file", BLOCK_BYTES + 1)
    with pytest.raises(DamagedFileError, match="cut off"):
        file.read(BLOCK_BYTES, 1)


def test_a_file_that_is_deleted_is_still_read(tmp_path: Path) -> None:
    contents = sealed(tmp_path / "file", 100)
    file = opened(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert file.read(0, 100) == contents
