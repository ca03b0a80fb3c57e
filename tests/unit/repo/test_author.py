import json
from pathlib import Path

import pytest

from pyfs.errors import ConfigurationError
from pyfs.repo.author import Author, find_author, parse_author


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which git knows nobody."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure_dolt(home: Path, text: str) -> None:
    (home / ".dolt").mkdir()
    (home / ".dolt" / "config_global.json").write_text(text)


def configure_git(home: Path, name: str, email: str) -> None:
    (home / "gitconfig").write_text(f"[user]\n\tname = {name}\n\temail = {email}\n")


@pytest.mark.parametrize(
    "text", ["Ada Lovelace <ada@example.com>", "  Ada Lovelace<ada@example.com> "]
)
def test_an_author_is_a_name_and_an_email(text: str) -> None:
    assert parse_author(text) == Author("Ada Lovelace", "ada@example.com")


@pytest.mark.parametrize("text", ["", "Ada", "ada@example.com", "<a@b>", "Ada <>", "A <b> <c>"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="Name <email>"):
        parse_author(text)


def test_the_option_comes_first(home: Path) -> None:
    configure_dolt(home, json.dumps({"user.name": "D", "user.email": "d@x"}))
    assert find_author("O <o@x>", home) == Author("O", "o@x")


def test_dolt_comes_before_git(home: Path) -> None:
    configure_dolt(home, json.dumps({"user.name": "D", "user.email": "d@x"}))
    configure_git(home, "G", "g@x")
    assert find_author(None, home) == Author("D", "d@x")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"user.name": "D"}', '{"user.name": 1}'])
def test_git_comes_next(home: Path, text: str) -> None:
    """Also where Dolt's configuration is damaged or only half there."""
    configure_dolt(home, text)
    configure_git(home, "G", "g@x")
    assert find_author(None, home) == Author("G", "g@x")


def test_the_machine_comes_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "engine")
    assert find_author(None, home) == Author("ada", "ada@engine")
