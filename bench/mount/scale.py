"""Jobs on many branches and tables, and on a table of 20 million rows."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import trio

from bench.mount.site import MIB, PYFS, Site
from pyfs.config import MountConfig
from pyfs.remote import open_remote
from pyfs.repo.repository import Repository, open_repository
from pyfs.store.table_set import TableSet
from tests.support.repositories import ADA

BRANCHES, TABLES = 1_000, 100
ROWS = 20_000_000
ROWS_A_PIECE = 100_000


def bench_branches(site: Site) -> None:
    """`ls -R` of many branches and tables."""
    folder = site.folder / "many"
    folder.mkdir()
    trio.run(_make_branches, folder)
    site.endpoints.upload(folder, f"{site.url}/many")
    site.measure(f"mount of {BRANCHES:,} branches", lambda: _mount(site, "many"))
    directory = str(site.folder / "mnt-many")
    listed = site.folder / "listed"
    name = f"ls -R, {TABLES} tables each"
    site.measure(name, lambda: site.run("ls", "-R", directory, out=listed))
    count = listed.read_text().count(".csv\n")
    if count != BRANCHES * TABLES:
        raise SystemExit(f"{count} files are listed")
    site.remarks[name] = f"mount: at most {site.memory_of(Path(directory)) // MIB} MiB"
    site.unmount("many")


def _mount(site: Site, database: str) -> None:
    site.mount(database, database)


def bench_rows(site: Site) -> None:
    """A table of 20 million rows: head, a search near the end, one row changed."""
    folder = site.folder / "rows"
    folder.mkdir()
    trio.run(_make_rows, folder)
    site.endpoints.upload(folder, f"{site.url}/rows")
    site.measure("20 million rows: mount", lambda: _mount(site, "rows"))
    mount = site.folder / "mnt-rows"
    file = mount / "main/numbers.csv"
    site.measure("head -1", lambda: site.run("head", "-n", "1", str(file)))
    wanted = f"^{ROWS - 1000},"
    site.measure("grep -m1 near the end", lambda: site.run("grep", "-m1", wanted, str(file)))
    site.remarks["grep -m1 near the end"] = f"{os.stat(file).st_size / 1e6:.0f} MB of text"

    def change() -> None:
        with open(file, "r+b", buffering=0) as stream:
            stream.seek(-4, os.SEEK_END)
            stream.write(b"007\n")

    site.measure("one row changed in place", change)
    memory = site.memory_of(mount) // MIB
    site.remarks["one row changed in place"] = f"mount: at most {memory} MiB"
    site.unmount("rows")
    for mode in ("lazy", "auto", "exact"):
        cache = f"cache-dir={site.folder / ('rows-' + mode)},size={mode}"
        site.run(str(PYFS), "mount", "-o", cache, f"{site.url}/rows", str(mount))
        name = f"ls -l, size={mode}"
        site.measure(name, lambda: site.run("ls", "-l", str(file), out=site.folder / "ls"))
        site.remarks[name] = (site.folder / "ls").read_text().split()[4] + " bytes"
        site.unmount("rows")


@contextlib.asynccontextmanager
async def _new_database(folder: Path) -> AsyncIterator[Repository]:
    config = MountConfig(url=folder.as_uri(), cache_dir=folder.with_name(f"{folder.name}-cache"))
    async with open_remote(config) as remote:
        await Repository.init(remote, ADA)
        chunks = TableSet(remote, config)
        async with open_repository(remote, chunks, config, ADA) as repository:
            await repository.refresh(0)
            yield repository


async def _save_table(repository: Repository, table: str, texts: Iterable[bytes]) -> None:
    """Makes *table* and gives it rows, in two commits."""
    text = f"CREATE TABLE `{table}` (`n` int NOT NULL, `v` int, PRIMARY KEY (`n`))"
    base = repository.branches["main"]
    empty = await repository.edited_table(base, table, text.encode())
    head = (await repository.save("main", base, {table: empty}, None)).commit
    version = (await (await repository.snapshot(head)).table(table)).as_text
    build = version.start_build()
    for piece in texts:
        build.feed(piece)
    built = await version.complete(build.finish())
    await repository.save("main", head, {table: built}, None)


async def _make_branches(folder: Path) -> None:
    async with _new_database(folder) as repository:
        for number in range(TABLES):
            await _save_table(repository, f"t{number:02}", [b"n,v\n1,%d\n" % number])
        head = repository.branches["main"]
        for number in range(1, BRANCHES):
            await repository.create_branch(f"b{number:03}", head)


async def _make_rows(folder: Path) -> None:
    began = time.perf_counter()
    async with _new_database(folder) as repository:
        await _save_table(repository, "numbers", _numbers())
    print(f"{ROWS:,} rows made in {time.perf_counter() - began:.0f} s")


def _numbers() -> Iterator[bytes]:
    yield b"n,v\n"
    for start in range(1, ROWS + 1, ROWS_A_PIECE):
        rows = range(start, start + ROWS_A_PIECE)
        yield b"".join(b"%d,%d\n" % (n, n * 7919 % 1_000_003) for n in rows)
