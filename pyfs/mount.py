"""Builds the objects, mounts, serves, unmounts: the only module that knows all others."""

from __future__ import annotations

import faulthandler
import logging
import os
import shlex
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyfuse3
import trio

from pyfs.allocator import TRIM_INTERVAL_S, collect_cycles, return_freed_memory, trim
from pyfs.daemon import run_detached
from pyfs.disk import why_unusable
from pyfs.errors import ConfigurationError, NotFoundError, PyfsError
from pyfs.formats import Format
from pyfs.fuse.kernel import KernelCache
from pyfs.fuse.operations import Operations
from pyfs.mountpoint import SUBTYPE, check_mountpoint, default_log, ended_report, mountpoint_of
from pyfs.parquet import check_installed
from pyfs.remote import DirectoryUrl, open_remote, parse_url
from pyfs.repo.author import Author, find_author
from pyfs.repo.log import log_text
from pyfs.repo.repository import Repository, open_repository
from pyfs.store.table_set import TableSet
from pyfs.vfs.control import rescue_note
from pyfs.vfs.file_system import FileSystem, open_file_system
from pyfs.vfs.processes import Holders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from pyfs.config import MountConfig
    from pyfs.store.chunks import Remote

log = logging.getLogger(__name__)

REQUESTS_MAX: Final = 99
"""Requests of the kernel served at a time."""
NOBODY: Final = Author("nobody", "nobody@localhost")
"""Who makes the commits of a command that makes none."""
LOG_BYTES_MAX: Final = 10 << 20
LOG_FILES: Final = 3


def mount(config: MountConfig) -> int:
    """Mounts as *config* says; returns when the mount is usable, or has ended (foreground)."""
    config = replace(config, mountpoint=mountpoint_of(config.mountpoint))
    check_mountpoint(config)
    parse_url(config.url)
    if Format.PARQUET in config.formats:
        check_installed()
    _make_folders(config)
    author = find_author(config.author, Path.home())

    def serve(ready: Callable[[str], None]) -> None:
        _start_log(config)
        return_freed_memory()
        trio.run(_serve, config, author, ready)

    def tell(note: str) -> None:
        if note:
            print(f"pyfs mount: {note}", file=sys.stderr, flush=True)

    if config.foreground:

        def ready(note: str) -> None:
            print(f"{config.url} is mounted on {config.mountpoint}", flush=True)
            tell(note)

        serve(ready)
    else:
        tell(run_detached(serve))
    return 0


def initialize(config: MountConfig, branch: str) -> int:
    """Makes an empty database of a new remote."""
    _check_no_clone(config)
    author = find_author(config.author, Path.home())

    async def main() -> None:
        async with open_remote(config) as remote:
            commit = await Repository.init(remote, author, branch)
        print(f"{config.url} holds an empty database now; branch {branch} is at {commit}")

    trio.run(main)
    return 0


def print_log(config: MountConfig, branch: str | None, number: int | None) -> int:
    """Prints the commits of *branch*, else of the default branch, newest first."""
    parse_url(config.url)
    _make_folders(config)

    async def main() -> None:
        async with (
            open_remote(config) as remote,
            _open_repository(remote, config, NOBODY) as repository,
        ):
            await _check_has_data(repository, config)
            head = repository.branches.get(branch or repository.default_branch or "")
            if head is None:
                known = ", ".join(sorted(repository.branches))
                raise NotFoundError(f"{config.url} has no branch {branch}; it has {known}")
            left = number
            async for commit in repository.log(head):
                if left == 0:
                    break
                print(log_text(commit), end="")
                left = None if left is None else left - 1

    trio.run(main)
    return 0


@asynccontextmanager
async def _open_repository(
    remote: Remote, config: MountConfig, author: Author
) -> AsyncIterator[Repository]:
    collect_cycles()
    chunks = TableSet(remote, config)
    try:
        async with open_repository(remote, chunks, config, author) as repository:
            yield repository
    finally:
        await chunks.aclose()


def _check_no_clone(config: MountConfig) -> None:
    """Raises `ConfigurationError` for the directory of a dolt database, such as a clone."""
    match parse_url(config.url):
        case DirectoryUrl(directory) if (directory / ".dolt").is_dir():
            other = directory.with_name(f"{directory.name}-remote")
            url = shlex.quote(other.as_uri())
            raise ConfigurationError(
                f"{directory} is a dolt database with a working set (it holds .dolt), not a "
                "remote, which is a folder of its own that dolt pushes to. To make one of it: "
                f"mkdir {shlex.quote(str(other))}; cd {shlex.quote(str(directory))}; "
                f"dolt remote add pyfs {url}; dolt push --all pyfs; and use {url} here"
            )


async def _check_has_data(repository: Repository, config: MountConfig) -> None:
    await repository.refresh(0)
    if not repository.branches:
        _check_no_clone(config)
        match parse_url(config.url):
            case DirectoryUrl(directory) if not directory.is_dir():
                raise ConfigurationError(
                    f"there is no directory {directory}: check the URL, or make a database there "
                    f"with pyfs init {config.url!r}"
                )
        raise ConfigurationError(
            f"{config.url} holds no database yet: make one with pyfs init {config.url!r}, "
            "or push one to it with dolt"
        )


async def _serve(config: MountConfig, author: Author, ready: Callable[[str], None]) -> None:
    """Serves the mount until it is unmounted or a signal ends it."""
    async with (
        open_remote(config) as remote,
        _open_repository(remote, config, author) as repository,
    ):
        await _check_has_data(repository, config)
        # The remote is the right one: what it does not answer from here on is an outage.
        remote.patience.timeout_s = config.timeout_s
        kernel = KernelCache()
        async with open_file_system(
            repository,
            config,
            kernel=kernel,
            holders=Holders(config.mountpoint),
            counts=remote.counts,
        ) as file_system:
            with _mounted(Operations(file_system), config):
                log.info("%s is mounted on %s", config.url, config.mountpoint)
                rescued = file_system.saver.folders.rescued
                ready(rescue_note(rescued) if rescued else "")
                await _serve_until_told(file_system)
                kernel.disarm()
            await _finish(file_system, config)
    log.info("%s is unmounted", config.mountpoint)


async def _serve_until_told(file_system: FileSystem) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_obey_signals, file_system)
        nursery.start_soon(_return_memory)
        await pyfuse3.main(max_tasks=REQUESTS_MAX)
        nursery.cancel_scope.cancel()


async def _return_memory() -> None:
    while True:
        await trio.sleep(TRIM_INTERVAL_S)
        await trio.to_thread.run_sync(trim)


async def _obey_signals(file_system: FileSystem) -> None:
    """The first signal unmounts once everything is pushed, a second one at once."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            async for number in signals:
                name = signal.Signals(number).name
                if file_system.ending:
                    log.warning("%s again: ending at once", name)
                    file_system.keep_unsaved()
                    pyfuse3.close(unmount=True)
                    os._exit(1)
                log.info("%s: unmounting once everything is pushed", name)
                file_system.ending = True
                nursery.start_soon(_push_and_leave, file_system)


async def _push_and_leave(file_system: FileSystem) -> None:
    file_system.saver.refuse_new()
    try:
        await file_system.sync()
    except PyfsError:
        log.warning("not everything could be pushed; see above")
    # Requests are answered until the last save under way is.
    await file_system.saver.idle()
    pyfuse3.terminate()


async def _finish(file_system: FileSystem, config: MountConfig) -> None:
    """Pushes what is left; what cannot be is told to `pyfs umount`, which waits for us to end."""
    troubles = await file_system.finish()
    if troubles:
        report = ended_report(config.state_dir, os.getpid())
        report.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        report.write_text("".join(f"{line}\n" for line in troubles))


@contextmanager
def _mounted(operations: Operations, config: MountConfig) -> Iterator[None]:
    """A mount that ends with the block, unless that ends by a bug.

    Then the mount stays, broken: an empty directory would tell rsync to delete the other side.
    """
    source = config.url.replace("\\", "\\\\").replace(",", "\\,")
    options = {"default_permissions", "nodev", "nosuid", "noatime"}
    options |= {f"fsname={source}", f"subtype={SUBTYPE}"}
    if config.read_only:
        options.add("ro")
    if config.allow_other:
        options.add("allow_other")
    _mount(operations, config.mountpoint, options)
    try:
        yield
    except BaseException:
        pyfuse3.close(unmount=False)
        raise
    pyfuse3.close(unmount=True)


def _mount(operations: Operations, mountpoint: Path, options: set[str]) -> None:
    """Mounts; what libfuse and fusermount3 would print on stderr is the error's reason."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as told:
        os.dup2(told.fileno(), 2)
        try:
            pyfuse3.init(operations, str(mountpoint), options)
        except RuntimeError as exc:
            told.seek(0)
            reason = "; ".join(told.read().decode(errors="replace").splitlines())
            raise ConfigurationError(
                f"nothing can be mounted on {mountpoint}: {reason or 'the kernel gave no reason'}"
            ) from exc
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _make_folders(config: MountConfig) -> None:
    """Makes the folders on local disk. A cache that cannot be used is gone without."""
    reason = why_unusable(config.state_dir)
    if reason is not None:
        raise ConfigurationError(
            f"the state folder {config.state_dir} cannot be used: {reason};"
            " choose another with -o state-dir="
        )
    reason = why_unusable(config.cache_dir)
    if reason is not None:
        print(
            f"pyfs: nothing is kept in the cache folder {config.cache_dir}: {reason};"
            " what is read twice may be fetched twice, choose another with -o cache-dir=",
            file=sys.stderr,
        )


def _start_log(config: MountConfig) -> None:
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if config.log_file is not None or not config.foreground:
        path = config.log_file or default_log(config.url, config.state_dir)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handler = RotatingFileHandler(path, maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES)
            # kill -USR1 writes every thread's stack there.
            faulthandler.register(signal.SIGUSR1, file=path.open("a"))
        except OSError as exc:
            raise ConfigurationError(
                f"the log {path} cannot be written: {exc.strerror}; choose another with "
                "-o log-file="
            ) from exc
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s[%(process)d]: %(message)s")
    )
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])
    # Their debug lines have credentials' names and every byte of a reply.
    for name in ("botocore", "boto3", "urllib3", "s3transfer"):
        logging.getLogger(name).setLevel(logging.WARNING)
