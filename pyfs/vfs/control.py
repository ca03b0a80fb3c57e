"""The texts of the control directories: `status`, `log`, `log.jsonl`, `message`."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfs.disk import why_unusable
from pyfs.errors import DiskError, InvalidTextError, NotFoundError, SpaceError
from pyfs.repo.log import log_json, log_text
from pyfs.vfs.names import file_name
from pyfs.vfs.node import TableFile
from pyfs.vfs.system_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyfs.config import MountConfig
    from pyfs.repo.repository import Repository
    from pyfs.store.counts import RequestCounts
    from pyfs.store.health import Health
    from pyfs.vfs.branch import Branch, Failure
    from pyfs.vfs.save import Saver

MESSAGE: Final = "message"
STATUS: Final = "status"
MOUNT_FILES: Final = (STATUS,)
BRANCH_FILES: Final = ("log", "log.jsonl", MESSAGE, STATUS)


class ControlTexts:
    """Writes what control files say."""

    def __init__(
        self, repository: Repository, saver: Saver, config: MountConfig, counts: RequestCounts
    ) -> None:
        self._counts = counts
        self._repository = repository
        self._saver = saver
        self._config = config
        self._logs: dict[tuple[str, str], bytes] = {}

    async def of_branch(self, branch: Branch, name: str) -> bytes:
        """The text of *name* in the control directory of *branch*."""
        match name:
            case _ if name == STATUS:
                return self._branch_status(branch)
            case _ if name == MESSAGE:
                return (branch.message + "\n").encode() if branch.message else b""
            case "log" | "log.jsonl":
                await branch.update()
                return await self._log(branch, name)
            case _ if "/" in name:
                directory, _, file = name.partition("/")
                texts = await texts_of(branch.snapshot, directory)
                if file not in texts:
                    raise NotFoundError(f"{file} is gone")
                return texts[file]
            case _:
                raise NotFoundError(f"no control file {name}")

    def of_mount(self, branches: Iterable[Branch]) -> bytes:
        """The mount's own status."""
        repository = self._repository
        no_cache = why_unusable(self._config.cache_dir)
        lines = {
            "remote": self._config.url,
            "mountpoint": str(self._config.mountpoint),
            "pid": str(os.getpid()),
            "state": str(self._config.state_dir),
            "cache": str(self._config.cache_dir),
            **({} if no_cache is None else {"cache-unused": f"nothing is kept there: {no_cache}"}),
            "writable": "no, mounted with -o ro" if self._config.read_only else "yes",
            "refreshed": _ago(repository.refreshed_at),
            "remote-error": _health(repository.health),
            "branches": str(len(repository.branches)),
            "default-branch": repository.default_branch or "none",
            "failed-saves": str(len(self._saver.failures)),
        }
        lines |= {
            name.replace("_", "-"): str(count) for name, count in asdict(self._counts).items()
        }
        text = _lines(lines)
        if rescued := self._saver.folders.rescued:
            text += f"rescued: {rescue_note(rescued)}\n"
        for branch in branches:
            text += "".join(f"pending: {branch.name}/{line}\n" for line in _pending(branch))
        for branch in branches:
            if branch.failure is not None:
                text += f"\nlast failed save on {branch.name}:\n" + _failure(branch.failure)
        return text.encode()

    def unread_status(self, name: str) -> bytes:
        """The status of a branch of which no more is known than that it is there."""
        lines = {
            "branch": name,
            "head": str(self._repository.branches.get(name, "unknown")),
            "refreshed": _ago(self._repository.refreshed_at),
            "remote-error": _health(self._repository.health),
        }
        return (_lines(lines) + "last failed save: none\n").encode()

    def _branch_status(self, branch: Branch) -> bytes:
        commit = branch.snapshot.commit
        lines = {
            "branch": branch.name,
            "head": str(commit.address),
            "head-date": _stamp(commit.timestamp_ms / 1000),
            "refreshed": _ago(self._repository.refreshed_at),
            "remote-error": _health(self._repository.health),
            "tables": str(len(branch.snapshot.tables)),
        }
        if self._config.read_only:
            lines["writable"] = "no, mounted with -o ro"
        if branch.message:
            lines["message"] = branch.message.partition("\n")[0]
        text = _lines(lines)
        text += "".join(f"pending: {line}\n" for line in _pending(branch))
        text += "".join(
            f"sizing: {name}, {version.share_read:.0%} read\n"
            for name, version in branch.sizing.items()
        )
        if unlisted := branch.unlisted():
            text += f"unlisted: {', '.join(unlisted)} (the names are too long for a directory)\n"
        if branch.note:
            text += f"note: {branch.note}\n"
        if branch.failure is None:
            return (text + "last failed save: none\n").encode()
        return (text + "last failed save:\n" + _failure(branch.failure)).encode()

    async def _log(self, branch: Branch, name: str) -> bytes:
        key = (str(branch.head), name)
        if key not in self._logs:
            entry = log_json if name.endswith("l") else log_text
            text = "".join([entry(commit) async for commit in self._repository.log(branch.head)])
            if len(self._logs) >= LOGS_MAX:
                del self._logs[next(iter(self._logs))]
            self._logs[key] = text.encode()
        return self._logs[key]


SILENCE_S: Final = 3.0
"""A request without an answer for so long is told while it is under way."""
LOGS_MAX: Final = 8
"""Rendered logs kept, as `stat` and `read` both need one."""


def _failure(failure: Failure) -> str:
    error = failure.error
    lines = {"file": failure.name, "at": _stamp(failure.at)}
    if isinstance(error, InvalidTextError):
        if error.line:
            lines[error.unit] = str(error.line)
        if error.column:
            lines |= {"column": error.column, "value": error.value}
        lines["reason"] = error.reason
    else:
        lines["reason"] = str(error)
    lines["text"] = f"kept in {failure.recovery}" if failure.recovery else "not kept"
    if failure.recovery and isinstance(error, SpaceError | DiskError):
        lines["text"] += ", as far as it came"
    return "".join(f"  {line}\n" for line in _lines(lines).splitlines())


def _pending(branch: Branch) -> list[str]:
    if not branch.is_read:
        return []
    found = []
    for removal in branch.gone.values():
        names = sorted(file_name(removal.table, shown) for shown in removal.names)
        name = ", ".join(names)
        how = "renamed away" if removal.backups else "removed, the drop is not committed yet"
        found.append(f"{name} ({how})")
    for name, node in branch.names().items():
        if isinstance(node, TableFile) and (size := node.dirty_size()) is not None:
            what = f"{size} bytes written, not saved yet" if size else "empty, an unfinished save"
            found.append(f"{name} ({what})")
    return found


def _health(health: Health) -> str:
    failed = _last_failure(health)
    asked = health.longest
    if asked is None or asked.waited_s < SILENCE_S:
        return failed
    text = f"no answer for {asked.waited_s:.0f} s to {asked.doing}"
    if asked.trouble:
        text += f" ({' '.join(asked.trouble.split())})"
    text += f"; it is tried until {asked.timeout_s:g} s are over"
    return text if health.error is None else f"{text}; before that: {failed}"


def _last_failure(health: Health) -> str:
    if health.error is None:
        return "none"
    since = "" if health.failing else ", and it has answered since"
    return f"{_ago(health.failed_at)}{since}: {' '.join(str(health.error).split())}"


def rescue_note(rescued: Sequence[Path]) -> str:
    """What is said of texts that an earlier mount left and this one keeps."""
    count = "1 text" if len(rescued) == 1 else f"{len(rescued)} texts"
    folder = Path(os.path.commonpath([path.parent for path in rescued]))
    return f"{count} that an earlier mount had not saved, kept in {folder}"


def _lines(fields: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ago(seconds: float) -> str:
    return f"{_stamp(seconds)} ({max(0.0, time.time() - seconds):.1f} s ago)"
