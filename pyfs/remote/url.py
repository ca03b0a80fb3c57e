"""The URLs of remotes: `aws://[table:bucket]/path` and `file:///dir`."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pyfs.errors import ConfigurationError

AWS_FORM = "aws://[dynamodb-table:s3-bucket]/path"


@dataclass(frozen=True, slots=True)
class AwsUrl:
    """A remote in S3 and DynamoDB."""

    table: str
    """The DynamoDB table of manifests."""
    bucket: str
    path: str
    """The database: the manifest's key, and the prefix of its objects. No slash at its ends."""

    def __str__(self) -> str:
        return f"aws://[{self.table}:{self.bucket}]/{self.path}"


@dataclass(frozen=True, slots=True)
class DirectoryUrl:
    """A remote in a directory of this machine."""

    directory: Path

    def __str__(self) -> str:
        return f"file://{self.directory}"


def parse_url(text: str) -> AwsUrl | DirectoryUrl:
    """The remote that *text* names; `ConfigurationError` says what is wrong with it."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ConfigurationError(
            f"{text!r} is not the URL of a remote: write {AWS_FORM} or file:///dir"
        )
    if scheme == "aws":
        return _parse_aws(text, rest)
    if scheme == "file":
        return _parse_directory(text, rest)
    raise ConfigurationError(
        f"{scheme}:// remotes are not known; pyfs mounts {AWS_FORM} and file:///dir"
    )


def _parse_aws(text: str, rest: str) -> AwsUrl:
    if "@" in rest.split("]")[0]:
        raise ConfigurationError(
            "a remote's URL holds no credentials; set AWS_PROFILE or -o profile= instead"
        )
    match = re.fullmatch(r"\[([^\[\]:/]+):([^\[\]:/]+)\](/[^?#]*)?(?:[?#].*)?", rest)
    if match is None:
        raise ConfigurationError(f"{text!r} is malformed: write {AWS_FORM}, brackets included")
    table, bucket, path = match.groups()
    path = unquote(path or "").strip("/")
    if not path:
        raise ConfigurationError(f"{text!r} names no database: write {AWS_FORM}")
    return AwsUrl(table, bucket, path)


def _parse_directory(text: str, rest: str) -> DirectoryUrl:
    path = unquote(re.split(r"[?#]", rest)[0])
    if not path or path.startswith("//"):
        raise ConfigurationError(f"{text!r} names no directory: write file:///dir")
    return DirectoryUrl(Path(path).absolute())
