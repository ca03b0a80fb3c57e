"""What the folders of the cache may hold together."""

import os
from pathlib import Path

from pyfs.store.cache_limit import CacheLimit

KIB = 1024


def put(path: Path, age: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(8 * KIB))
    os.utime(path, ns=(10**18 - age, 10**18 - age))


def left(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*") if path.is_file()}


def test_the_files_of_all_folders_count_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(8):
        put(tmp_path / ("spans/a/b" if number % 2 else "parquet") / str(number), age=number)
    put(tmp_path / "lengths.db", age=99)
    limit = CacheLimit(tmp_path, 64 * KIB)
    limit.recount()
    assert left(tmp_path) == {*"01234567", "lengths.db"}
    # What somebody else wrote, too.
    put(tmp_path / "parquet" / "new", age=-1)
    limit.recount()
    assert left(tmp_path) == {*"012345", "new", "lengths.db"}


def test_writes_are_counted_without_a_look_at_the_disk(tmp_path: Path) -> None:
    limit = CacheLimit(tmp_path, 64 * KIB)
    for number in range(8):
        put(tmp_path / "spans" / str(number), age=-number)
        limit.wrote(8 * KIB)
    assert left(tmp_path) == {*"01234567"}
    put(tmp_path / "spans" / "8", age=-8)
    limit.wrote(8 * KIB)
    assert left(tmp_path) == {*"2345678"}


def test_a_file_beyond_the_limit_is_not_worth_the_others(tmp_path: Path) -> None:
    limit = CacheLimit(tmp_path, 100)
    assert limit.has_room_for(90)
    assert not limit.has_room_for(91)
    assert not CacheLimit(tmp_path, 0).has_room_for(1)
