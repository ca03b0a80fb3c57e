"""What the documents name is there."""

from __future__ import annotations

import errno
import os
import re

from pyfs.cli.options import OPTIONS
from pyfs.fuse.errors import ERRNO
from tests.support.mounts import ROOT

SEMANTICS = (ROOT / "docs" / "SEMANTICS.md").read_text()
TROUBLESHOOTING = (ROOT / "docs" / "TROUBLESHOOTING.md").read_text()
README = (ROOT / "README.md").read_text()


def sections() -> dict[int, str]:
    """The numbered sections of docs/SEMANTICS.md."""
    parts = re.split(r"^## (\d+)\. ", SEMANTICS, flags=re.MULTILINE)[1:]
    numbers = [int(number) for number in parts[::2]]
    assert numbers == list(range(1, len(numbers) + 1))
    return dict(zip(numbers, parts[1::2], strict=True))


def test_what_is_referred_to_is_there() -> None:
    references = re.findall(r"§(\d+)(?:\.(\d+))?", SEMANTICS)
    assert references
    for section, item in references:
        assert not item or re.search(rf"^{item}\. ", sections()[int(section)], re.MULTILINE), item


def test_the_list_of_errors_is_whole() -> None:
    listed = set(re.findall(r"\bE[A-Z]{2,}", re.sub(r"\|[^|]*\|$", "", sections()[7], flags=re.M)))
    assert listed == {errno.errorcode[number] for number in ERRNO.values()}


def test_options_that_are_named_exist() -> None:
    known = {option.name for option in OPTIONS}
    for text in (SEMANTICS, TROUBLESHOOTING, README):
        for named in re.findall(r"-o ([a-z-]+)", text):
            assert named in known, named


def test_messages_of_the_troubleshooting_page_are_those_of_pyfs() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "pyfs").rglob("*.py"))
    # Messages are written in pieces, over lines.
    sources = re.sub(r'"\s*f?"', "", sources)
    of_system = {os.strerror(number) for number in errno.errorcode}
    rows = re.findall(r"^\| (.*?) \|", TROUBLESHOOTING, re.MULTILINE)
    quoted = [message for row in rows for message in re.findall("`(.*?)`", row)]
    assert len(quoted) > 6
    for message in quoted:
        parts = re.split(r"s3:GetObject| …", message)
        assert message in of_system or all(part in sources for part in parts), message
