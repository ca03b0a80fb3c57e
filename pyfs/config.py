"""`MountConfig`: everything about a mount that can be chosen, each with its unit in its name."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pyfs.formats import Format

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def _home(variable: str, default: str) -> Path:
    """The folder for pyfs below one of the XDG base directories."""
    base = os.environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / "pyfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class MountConfig:
    """Everything about a mount that can be chosen."""

    url: str
    """The remote: `aws://[table:bucket]/path` or `file:///dir`."""
    mountpoint: Path = Path()
    """Where the tree appears."""

    read_only: bool = False
    """Refuse every write with EROFS (`-o ro`)."""
    refresh_s: float = 1.0
    """Age at which the manifest is read again (`-o refresh=`)."""
    size: str = "auto"
    """`stat` by path: `auto`, `exact` (always wait) or `lazy` (never wait) (`-o size=`)."""
    exact_size_limit_bytes: int = 4 * MIB
    """Stored bytes of a table up to which `stat` by path is exact (`-o exact-size-limit=`)."""
    formats: tuple[Format, ...] = (Format.CSV,)
    """The formats in which each table is shown, a file each (`-o format=`)."""
    drop_delay_s: float = 1.0
    """How long an unlinked table may come back before its drop is committed (`-o drop-delay=`)."""
    author: str | None = None
    """`Name <email>` of commits, or None for Dolt's, git's or the machine's (`-o author=`)."""
    allow_other: bool = False
    """Let other users in (`-o allow-other`); who is not root needs `user_allow_other`."""

    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None
    """AWS profile, region and endpoint URL, or None for the ordinary chain."""
    requests_max: int = 32
    """Requests to the remote at a time; also the size of the connection pool."""
    timeout_s: float = 60.0
    """How long a request to AWS is tried until it fails (`-o timeout=`)."""
    first_timeout_s: float = 10.0
    """The same until a mount is usable, and for commands: the endpoint may be a wrong one."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 10.0
    """Silence that ends one attempt: several fit into `timeout_s`."""

    cache_dir: Path = field(default_factory=lambda: _home("XDG_CACHE_HOME", ".cache"))
    """Where immutable bytes are kept between mounts; safe to delete at any time."""
    cache_bytes_max: int = 1 * GIB
    """Disk for cached bytes and Parquet files; `lengths.db` has a bound of its own
    (`-o cache-size=`)."""
    text_bytes_max: int = 96 * MIB
    """Memory for rendered text: who reads a large table twice finds it here."""
    chunk_bytes_max: int = 16 * MIB
    """Memory for chunks, which are read again from a disk close by."""
    state_dir: Path = field(default_factory=lambda: _home("XDG_STATE_HOME", ".local/state"))
    """Where spools, the recovery folder and the default log are: never deleted by pyfs alone."""

    read_gap_bytes_max: int = 64 * KIB
    """Bytes worth reading in vain to save a request: 21 ms at 25 Mbit/s, about a round trip."""
    read_length_bytes_min: int = 128 * KIB
    """A shorter read is made so long: it takes hardly longer, and the rest is often wanted next."""
    read_length_bytes_max: int = 4 * MIB
    """Bytes of one joined read."""
    read_ahead_bytes_max: int = 16 * MIB
    """Text prepared ahead of a sequential reader."""

    log_file: Path | None = None
    log_level: str = "info"
    foreground: bool = False
    debug: bool = False
