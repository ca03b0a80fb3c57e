"""What a text does not show of rows that were not edited: dolt's hashes, asked for again."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.kept import GOLDEN, hashes, record

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]


def test_dolt_still_gives_the_hashes_that_were_recorded(tmp_path: Path) -> None:
    for path in (GOLDEN / "setup.sql", *GOLDEN.glob("*.csv")):
        shutil.copy(path, tmp_path)
    record(tmp_path)
    assert json.loads((tmp_path / "hashes.json").read_text()) == hashes()
