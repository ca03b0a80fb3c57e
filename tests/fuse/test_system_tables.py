"""Dolt's own tables under `.pyfs`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.mounts import Mount

pytestmark = pytest.mark.fuse


def test_the_tables_of_dolts_own_are_read_and_filled(mounts: Callable[..., Mount]) -> None:
    mount = mounts("system").mount()
    system = mount / "main/.pyfs/system"
    assert os.listdir(mount / "main") == []
    assert sorted(os.listdir(system)) == [
        "dolt_docs.csv",
        "dolt_ignore.csv",
        "dolt_nonlocal_tables.csv",
        "dolt_procedures.csv",
        "dolt_query_catalog.csv",
        "dolt_schemas.csv",
        "dolt_tests.csv",
    ]
    assert (mount / "main/.pyfs/docs/README.md").read_bytes() == b"hello\nworld"
    views = mount / "main/.pyfs/views"
    assert os.listdir(views) == ["v.sql"]
    assert (views / "v.sql").read_text() == "create view v as select 1 as x;\n"

    done = mount.sh("echo 'draft_*,1' >> .pyfs/system/dolt_ignore.csv")
    assert done.returncode == 0, done.stderr
    text = "pattern,ignored\ndraft_*,1\ntmp_*,1\n"
    assert (system / "dolt_ignore.csv").read_text() == text
    assert (system / "dolt_ignore.csv").stat().st_size == len(text)
    assert mount.log()[0] == "Update dolt_ignore: +1 -0 ~0 rows"
    assert os.listdir(mount / "main") == []

    done = mount.sh("echo x >> .pyfs/system/dolt_procedures.csv")
    assert "not supported" in done.stderr
    for script in (
        "rm .pyfs/system/dolt_ignore.csv",
        "mv .pyfs/system/dolt_ignore.csv x.csv",
        "cp .pyfs/system/dolt_ignore.csv .pyfs/system/x.csv",
    ):
        assert "not permitted" in mount.sh(script).stderr, script
    assert mount.umount().returncode == 0
    assert (mount.mount() / "main/.pyfs/system/dolt_ignore.csv").read_text() == text


def test_a_document_is_written_where_there_was_none(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes").mount()
    docs = mount / "main/.pyfs/system/dolt_docs.csv"
    assert docs.read_text() == "doc_name,doc_text\n"
    assert os.listdir(mount / "main/.pyfs/docs") == []
    before = mount.log()
    assert "not permitted" in mount.sh("echo x > .pyfs/docs/NEW.md").stderr
    assert "note: .pyfs/docs/NEW.md cannot be made here: add a row" in mount.status()
    assert "Invalid" in mount.sh("echo README.md >> .pyfs/system/dolt_docs.csv").stderr
    assert docs.read_text() == "doc_name,doc_text\n"
    done = mount.sh("echo 'README.md,Primes' >> .pyfs/system/dolt_docs.csv")
    assert done.returncode == 0, done.stderr
    assert docs.read_text() == "doc_name,doc_text\nREADME.md,Primes\n"
    assert (mount / "main/.pyfs/docs/README.md").read_text() == "Primes"
    assert mount.log()[1:] == before
    assert os.listdir(mount / "main") == ["primes.csv"]
