"""Who makes a commit, and where that is configured."""

import getpass
import json
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyfs.errors import ConfigurationError

_AUTHOR: Final = re.compile(r"\s*(?P<name>[^<>]*[^<>\s])\s*<\s*(?P<email>[^<>\s]+)\s*>\s*")
_GIT_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Author:
    """The name and email of a commit's author; neither is empty, since dolt refuses that."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


def parse_author(text: str) -> Author:
    """The author in `Name <email>`; `ConfigurationError` for any other form."""
    match = _AUTHOR.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"author {text!r} is not of the form 'Name <email>'")
    return Author(match["name"], match["email"])


def find_author(explicit: str | None, home: Path) -> Author:
    """The author to commit as.

    *explicit* (`-o author=`) decides; else Dolt's global configuration under *home*; else git's;
    else the user at this machine. Name and email come from the same place, so that a commit
    is never by half of one person and half of another. Blocks: call it before the event loop.
    """
    if explicit is not None:
        return parse_author(explicit)
    return _of_dolt(home) or _of_git() or _of_machine()


def _of_dolt(home: Path) -> Author | None:
    try:
        settings = json.loads((home / ".dolt" / "config_global.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(settings, dict):
        return None
    return _author(settings.get("user.name"), settings.get("user.email"))


def _of_git() -> Author | None:
    try:
        done = subprocess.run(
            ["git", "config", "--null", "--get-regexp", r"^user\.(name|email)$"],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    # A setting is its name, a line feed and its value; of several, the last one counts.
    settings = dict(setting.partition("\n")[::2] for setting in done.stdout.split("\0"))
    return _author(settings.get("user.name"), settings.get("user.email"))


def _of_machine() -> Author:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a uid without a passwd entry, as containers have
        user = "pyfs"
    return Author(user, f"{user}@{socket.gethostname() or 'localhost'}")


def _author(name: object, email: object) -> Author | None:
    if isinstance(name, str) and isinstance(email, str) and name.strip() and email.strip():
        return Author(name.strip(), email.strip())
    return None
