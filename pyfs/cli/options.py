"""The options of `-o`: their names, what they set, and what they accept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfs.errors import ConfigurationError
from pyfs.formats import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Value = str | int | float | bool | Path | tuple[Format, ...]


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    # The daemon changes its directory to the root.
    return Path(value).expanduser().absolute()


def _seconds(value: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", value)
    if match is None:
        raise ValueError("a duration such as 5, 500ms or 2m")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2] or "s"]


def _bytes(value: str) -> int:
    match = re.fullmatch(r"(\d+)([KMGT]?)(?:i?B)?", value, re.IGNORECASE)
    if match is None:
        raise ValueError("a number of bytes such as 500M or 2G")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[match[2].upper()]


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return parse


def _formats(value: str) -> tuple[Format, ...]:
    names = value.split("+")
    if not all(name in list(Format) for name in names):
        raise ValueError(f"{', '.join(Format)}, or several with a + between them")
    return tuple(Format(name) for name in dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Option:
    """One option of `-o`."""

    name: str
    field: str
    """The field of `MountConfig` that it sets."""
    parse: Callable[[str], Value] | None
    """Reads its value, or None for one that has none and sets the field to True."""
    argument: str
    meaning: str
    group: str


_LEVELS: Final = _one_of("debug", "info", "warning", "error")

OPTIONS: Final = (
    Option("ro", "read_only", None, "", "refuse every write", "mount"),
    Option(
        "refresh",
        "refresh_s",
        _seconds,
        "TIME",
        "age at which branches are read again (1s)",
        "mount",
    ),
    Option(
        "size",
        "size",
        _one_of("auto", "exact", "lazy"),
        "MODE",
        "how stat finds sizes: auto, exact or lazy, see below (auto)",
        "mount",
    ),
    Option(
        "exact-size-limit",
        "exact_size_limit_bytes",
        _bytes,
        "BYTES",
        "stored size up to which stat is exact (4M)",
        "mount",
    ),
    Option(
        "format",
        "formats",
        _formats,
        "NAMES",
        "csv, tsv, jsonl, parquet, or several: csv+jsonl (csv)",
        "mount",
    ),
    Option("allow-other", "allow_other", None, "", "let other users in", "mount"),
    Option("author", "author", _text, "AUTHOR", '"Name <email>" of commits', "commits"),
    Option(
        "drop-delay",
        "drop_delay_s",
        _seconds,
        "TIME",
        "how long a removed table may come back (1s)",
        "commits",
    ),
    Option("profile", "profile", _text, "NAME", "AWS profile", "AWS"),
    Option("region", "region", _text, "NAME", "AWS region", "AWS"),
    Option("endpoint", "endpoint", _text, "URL", "endpoint of S3 and DynamoDB", "AWS"),
    Option(
        "timeout",
        "timeout_s",
        _seconds,
        "TIME",
        "how long a request is tried (60s, but 10s until mounted)",
        "AWS",
    ),
    Option(
        "cache-dir",
        "cache_dir",
        _path,
        "DIR",
        "what was fetched and made, to find it again (~/.cache/pyfs)",
        "local disk",
    ),
    Option(
        "cache-size",
        "cache_bytes_max",
        _bytes,
        "BYTES",
        "disk for that, beside up to 250M of text lengths (1G)",
        "local disk",
    ),
    Option(
        "state-dir",
        "state_dir",
        _path,
        "DIR",
        "spools, recovery folder and log (~/.local/state/pyfs)",
        "local disk",
    ),
    Option("log-file", "log_file", _path, "FILE", "the log", "log"),
    Option(
        "log-level", "log_level", _LEVELS, "LEVEL", "debug, info, warning or error (info)", "log"
    ),
)

SIZES: Final = """\
  size=MODE, for tables whose size was not found before; what is shown then is never too small:
    auto    stat waits where a table is small (exact-size-limit) or open; else it shows a bound
            until it is opened: right for almost everything
    exact   stat always waits, so that ls -l reads each table once: for rsync, tar and du over
            large tables, and for what believes a size without opening the file
    lazy    stat never waits: for looking around in large databases. Until a table was read,
            tail prints nothing, tar fills up with NULs to the bound, rsync fails"""

GROUPS: Final = tuple(dict.fromkeys(option.group for option in OPTIONS))

ALIASES: Final = {"aws-region": "region", "aws-creds-profile": "profile"}
"""What dolt calls the same."""

IGNORED: Final = frozenset(
    (
        "rw",
        "dev",
        "nodev",
        "suid",
        "nosuid",
        "exec",
        "noexec",
        "atime",
        "noatime",
        "relatime",
        "norelatime",
        "strictatime",
        "diratime",
        "nodiratime",
        "async",
        "sync",
        "auto",
        "noauto",
        "defaults",
        "user",
        "nouser",
        "users",
        "owner",
        "group",
        "_netdev",
        "nofail",
        "default-permissions",
    )
)
"""What mount(8) and fstab pass to every file system."""


def parse_options(texts: Iterable[str]) -> dict[str, Value]:
    """The fields of `MountConfig` that the arguments of `-o` set. `ConfigurationError`."""
    known = {option.name: option for option in OPTIONS}
    fields: dict[str, Value] = {}
    for item in (item for text in texts for item in _split(text) if item):
        written, has_value, value = item.partition("=")
        name = written if written == "_netdev" else written.replace("_", "-")
        if name in IGNORED or name.startswith("x-"):
            continue
        option = known.get(ALIASES.get(name, name))
        if option is None:
            raise ConfigurationError(
                f"unknown option {written!r}; known are {', '.join(sorted(known))}"
            )
        if option.parse is None:
            if has_value:
                raise ConfigurationError(f"option {written} takes no value")
            fields[option.field] = True
            continue
        if not value:
            raise ConfigurationError(f"option {written} needs a value: {written}={option.argument}")
        try:
            parsed = option.parse(value)
        except ValueError as exc:
            raise ConfigurationError(f"option {written}={value}: expected {exc}") from exc
        before = fields.get(option.field)
        if isinstance(parsed, tuple) and isinstance(before, tuple):
            # format=csv,format=tsv is format=csv+tsv.
            parsed = tuple(dict.fromkeys(before + parsed))
        fields[option.field] = parsed
    return fields


def _split(text: str) -> list[str]:
    r"""The items of *text*; `\,` is a comma within a value."""
    return [item.replace("\\,", ",") for item in re.split(r"(?<!\\),", text)]


def options_help(groups: Collection[str] = GROUPS) -> str:
    """The options of some *groups* as `--help` lists them."""
    lines = ["options of -o, separated by commas or given by several -o:"]
    group = ""
    for option in OPTIONS:
        if option.group not in groups:
            continue
        if option.group != group:
            group = option.group
            lines.append(f"  {group}:")
        shown = f"{option.name}={option.argument}" if option.argument else option.name
        lines.append(f"    {shown:<24}{option.meaning}")
    if "mount" in groups:
        lines += ["", SIZES]
    return "\n".join(lines)
