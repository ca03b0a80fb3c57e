from pathlib import Path

import pytest

from pyfs.errors import ConfigurationError
from pyfs.remote.url import AwsUrl, DirectoryUrl, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("aws://[tbl:bkt]/a/b", AwsUrl("tbl", "bkt", "a/b")),
        ("aws://[tbl:bkt]/a/b/", AwsUrl("tbl", "bkt", "a/b")),
        ("aws://[tbl:bkt]//a/b", AwsUrl("tbl", "bkt", "a/b")),
        ("aws://[tbl:bkt]//a//b/", AwsUrl("tbl", "bkt", "a//b")),
        ("aws://[tbl:bkt]/x%20y", AwsUrl("tbl", "bkt", "x y")),
        ("aws://[tbl:bkt]/x?q=1#f", AwsUrl("tbl", "bkt", "x")),
        ("file:///srv/remote", DirectoryUrl(Path("/srv/remote"))),
        ("file:///srv/my%20remote/", DirectoryUrl(Path("/srv/my remote"))),
    ],
)
def test_urls_are_read_as_dolt_reads_them(text: str, url: AwsUrl | DirectoryUrl) -> None:
    assert parse_url(text) == url
    assert parse_url(str(url).replace(" ", "%20")) == url


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("primes", "is not the URL of a remote"),
        ("aws://tbl:bkt/a", "brackets included"),
        ("AWS://[tbl:bkt]/a", "are not known"),
        ("aws://[tblbkt]/a", "brackets included"),
        ("aws://[a:b:c]/x", "brackets included"),
        ("aws://[tbl:bkt]", "names no database"),
        ("aws://[tbl:bkt]/", "names no database"),
        ("aws://key:secret@[tbl:bkt]/a", "holds no credentials"),
        ("s3://bucket/path", "are not known"),
        ("file://", "names no directory"),
    ],
)
def test_malformed_urls_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        parse_url(text)
