"""Where a remote keeps its files and its manifest: a directory, or S3 and DynamoDB."""

from pyfs.remote.opening import open_remote
from pyfs.remote.url import AwsUrl, DirectoryUrl, parse_url

__all__ = ["AwsUrl", "DirectoryUrl", "open_remote", "parse_url"]
