"""The command `pyfs`: parses what was typed, and decides nothing."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pyfs.cli.help import EXAMPLES, epilog
from pyfs.cli.options import parse_options
from pyfs.config import MountConfig
from pyfs.errors import ConfigurationError, PyfsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def run() -> NoReturn:
    """What the command does: `main`, and an end of the process that takes nothing apart."""
    # What is imported has no cycles worth a look. `pyfs.allocator` has it look once all is.
    gc.disable()
    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass
        except OSError:
            # What was to be said is not on the disk that was to keep it.
            status = status or 1
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0 done, 1 failed, 2 typed wrongly."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # mount(8) runs `pyfs SOURCE DIR -o OPTIONS`.
    if words and "://" in words[0]:
        words.insert(0, "mount")
    parser = _parser()
    parsed = parser.parse_args(words)
    if parsed.version:
        from importlib.metadata import version

        print(f"pyfs {version('pyfs-dolt')}")
        return 0
    if parsed.command is None:
        parser.print_help()
        return 0
    try:
        return _run(parsed)
    except _UsageError as exc:
        print(f"pyfs {parsed.command}: {exc}", file=sys.stderr)
        return 2
    except PyfsError as exc:
        print(f"pyfs {parsed.command}: {exc}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `pyfs log … | head`: nobody reads on. Python would complain once more as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as exc:
        print(f"pyfs {parsed.command}: {exc.strerror or exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


class _UsageError(Exception):
    """A command line that cannot mean anything."""


def _run(parsed: argparse.Namespace) -> int:
    # Imported here: --help and --version need neither pyfuse3 nor boto3.
    match parsed.command:
        case "mount":
            from pyfs.mount import mount

            return mount(_config(parsed))
        case "umount":
            from pyfs.unmount import unmount

            return unmount(parsed.directory.absolute(), lazy=parsed.lazy)
        case "status":
            from pyfs.unmount import print_status

            return print_status(parsed.directory.absolute())
        case "init":
            from pyfs.mount import initialize

            return initialize(_config(parsed), parsed.branch)
        case _:
            from pyfs.mount import print_log

            return print_log(_config(parsed), parsed.branch, parsed.number)


def _config(parsed: argparse.Namespace) -> MountConfig:
    try:
        fields = parse_options(parsed.options)
    except ConfigurationError as exc:
        raise _UsageError(str(exc)) from exc
    debug = getattr(parsed, "debug", False)
    if debug:
        fields["log_level"] = "debug"
    return MountConfig(
        url=parsed.url,
        mountpoint=getattr(parsed, "directory", Path()).absolute(),
        debug=debug,
        foreground=debug or getattr(parsed, "foreground", False),
        **fields,  # type: ignore[arg-type]  # each option's parser gives its field's type
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyfs",
        description="Mounts a Dolt remote as a directory of branches and tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    mount = _command(commands, "mount", "mount a remote; returns when the mount is usable")
    mount.add_argument("-f", "--foreground", action="store_true", help="stay in the foreground")
    mount.add_argument("-d", "--debug", action="store_true", help="log everything; implies -f")
    _add_options(mount)
    _add_url(mount)
    mount.add_argument("directory", metavar="DIR", type=Path, help="an empty directory")

    umount = _command(commands, "umount", "unmount; waits for what is pending and reports it")
    umount.add_argument(
        "-z",
        "--lazy",
        action="store_true",
        help="even while files are open or the mount does not answer; asks it nothing, and waits "
        "for nothing: what it could not save, only its log and the recovery folder tell",
    )
    umount.add_argument("directory", metavar="DIR", type=Path, help="where it is mounted")

    status = _command(commands, "status", "say how a mount is doing")
    status.add_argument("directory", metavar="DIR", type=Path, help="a mount, or a branch in it")

    init = _command(commands, "init", "make an empty database on a new remote")
    init.add_argument("-b", "--branch", default="main", help="its first branch (main)")
    _add_options(init)
    _add_url(init)

    log = _command(commands, "log", "print a branch's commits, newest first")
    log.add_argument("-n", "--number", type=_count, default=None, help="at most so many commits")
    _add_options(log)
    _add_url(log)
    log.add_argument("branch", metavar="BRANCH", nargs="?", help="else the default branch")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of commits, not {text!r}")
    return int(text)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, meaning: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=meaning,
        description=meaning[0].upper() + meaning[1:] + ".",
        epilog=epilog(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="aws://[table:bucket]/path or file:///dir")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", dest="options", action="append", default=[], metavar="OPTIONS", help="see below"
    )
