"""What -o takes."""

import itertools
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pyfs.cli import _parser, main
from pyfs.cli.options import OPTIONS, options_help, parse_options
from pyfs.config import MountConfig
from pyfs.errors import ConfigurationError
from pyfs.formats import Format
from tests.support.mounts import REMOTES, ROOT


def test_every_option_sets_a_field() -> None:
    samples = {
        "refresh": ("500ms", 0.5),
        "size": ("lazy", "lazy"),
        "exact-size-limit": ("16M", 16 << 20),
        "format": ("csv+tsv", (Format.CSV, Format.TSV)),
        "author": ("A <a@b>", "A <a@b>"),
        "drop-delay": ("2m", 120.0),
        "cache-size": ("2GiB", 2 << 30),
        "cache-dir": ("/x/y", Path("/x/y")),
        "state-dir": ("/x/y", Path("/x/y")),
        "log-file": ("/x/y", Path("/x/y")),
        "log-level": ("debug", "debug"),
        "profile": ("me", "me"),
        "region": ("eu-west-1", "eu-west-1"),
        "endpoint": ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        "timeout": ("2m", 120.0),
    }
    for option in OPTIONS:
        text, value = samples.get(option.name, ("", True))
        written = f"{option.name}={text}" if text else option.name
        fields = parse_options([written])
        assert fields == {option.field: value}
        assert getattr(MountConfig(url="x", **fields), option.field) == value  # type: ignore[arg-type]
        assert option.name in options_help()


def test_what_every_file_system_is_passed_is_ignored() -> None:
    assert (
        parse_options(["rw,dev,suid,noatime,_netdev,nofail,x-systemd.automount,x-gvfs-hide"]) == {}
    )


def test_spellings() -> None:
    assert parse_options(["cache_size=1k", "log_level=error,ro"]) == {
        "cache_bytes_max": 1024,
        "log_level": "error",
        "read_only": True,
    }
    assert parse_options(["aws-region=r,aws-creds-profile=p"]) == {"region": "r", "profile": "p"}
    assert parse_options([r"author=Ada\, Countess <a@b>"]) == {"author": "Ada, Countess <a@b>"}


def test_several_formats() -> None:
    both = {"formats": (Format.TSV, Format.CSV)}
    assert parse_options(["format=tsv+csv"]) == both
    assert parse_options(["format=tsv+csv+tsv"]) == both
    assert parse_options(["format=tsv,ro,format=csv"]) == both | {"read_only": True}
    assert parse_options(["format=tsv", "format=tsv+csv"]) == both
    assert parse_options(["format=tsv"]) == {"formats": (Format.TSV,)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("refres=1", ["refres", "refresh"]),
        ("refresh", ["refresh=TIME"]),
        ("refresh=", ["refresh=TIME"]),
        ("refresh=-1", ["refresh=-1", "500ms"]),
        ("cache-size=big", ["cache-size=big", "2G"]),
        ("size=huge", ["auto, exact, lazy"]),
        ("format=xml", ["format=xml", "csv, tsv, jsonl, parquet", "+"]),
        ("format=csv+", ["csv, tsv"]),
        ("format", ["format=NAMES"]),
        ("log-level=loud", ["warning"]),
        ("ro=yes", ["takes no value"]),
    ],
)
def test_a_wrong_option_is_told_with_what_is_right(text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_options([text])
    for part in parts:
        assert part in str(caught.value)


def test_a_missing_extra_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pyfs.parquet.find_spec", lambda name: None)
    words = ["mount", "-o", "format=csv+parquet", f"file://{tmp_path}", str(tmp_path)]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.startswith("pyfs mount: format=parquet needs pyarrow, which is not installed: ")
    assert "pip install 'pyfs-dolt[parquet]'" in said
    assert said.count("\n") == 1


def test_a_command_line_without_a_meaning_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mount", "-o", "refres=1", "file:///x", "/y"]) == 2
    assert capsys.readouterr().err.startswith("pyfs mount: unknown option 'refres'")
    for words in (["mount"], ["frobnicate"], ["umount"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2


@pytest.mark.parametrize("command", ["mount", "umount", "status", "init", "log"])
def test_the_help_of_each_command_has_examples_that_can_be_typed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    examples = shown.partition("examples:\n")[2].splitlines()
    typed = [shlex.split(line.split("  ")[1]) for line in examples]
    assert typed
    for words in typed:
        if words[0] == "pyfs":
            assert words[1] == command
            _parser().parse_args(words[1:])
            for word, value in itertools.pairwise(words):
                if word == "-o":
                    parse_options([value])


def test_the_help_of_mount_says_what_each_way_of_finding_sizes_is_good_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["mount", "--help"])
    shown = capsys.readouterr().out
    told = shown.partition("  size=MODE, ")[2].partition("examples:")[0]
    option = next(option for option in OPTIONS if option.name == "size")
    assert option.parse is not None
    modes = [
        line.split()[0] for line in told.splitlines() if line.startswith("    ") and line[4] != " "
    ]
    assert [option.parse(mode) for mode in modes] == ["auto", "exact", "lazy"]
    assert MountConfig(url="").size == "auto"
    lazy = told.partition("    lazy ")[2]
    for part in ("never waits", "tail prints nothing", "NULs", "rsync fails"):
        assert part in lazy
    assert "rsync, tar" in told.partition("    exact ")[2].partition("    lazy ")[0]
    assert all(len(line) <= 100 for line in shown.splitlines())
    with pytest.raises(SystemExit):
        main(["log", "--help"])
    assert "size=MODE" not in capsys.readouterr().out


def test_output_that_finds_no_room_is_an_error_in_one_line(tmp_path: Path) -> None:
    folders = f"state-dir={tmp_path},cache-dir={tmp_path}"
    command = ["log", "-o", folders, REMOTES.joinpath("primes").as_uri()]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pyfs", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert (done.returncode, done.stderr) == (1, "pyfs log: No space left on device\n")


def test_number_of_commits_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    for number in ("x", "-1"):
        with pytest.raises(SystemExit) as caught:
            main(["log", "-n", number, "file:///x"])
        assert caught.value.code == 2
        assert f"a number of commits, not '{number}'" in capsys.readouterr().err


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "examples:" in capsys.readouterr().out
