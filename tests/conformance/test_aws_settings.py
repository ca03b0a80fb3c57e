"""The settings of AWS's own tools are found where those look for them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_proxy import AwsProxy, Signature
from tests.support.mounts import REMOTES, pyfs
from tests.support.servers import ACCESS_KEY, REGION, SECRET_KEY

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Endpoints

_numbers = itertools.count()
ELSEWHERE = "http://127.0.0.1:9"
"""Where no server is."""
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
IN_REGION = {**KEYS, "AWS_REGION": REGION}


@pytest.fixture
def proxy(servers: Endpoints) -> Iterator[AwsProxy]:
    with AwsProxy(servers.s3, servers.dynamodb).running() as running:
        yield running


@pytest.fixture
def url(servers: Endpoints) -> str:
    table, bucket = f"settings-{next(_numbers)}", f"settings-{next(_numbers)}"
    servers.make(table, bucket)
    url = f"aws://[{table}:{bucket}]/primes"
    servers.upload(REMOTES / "primes", url)
    return url


class Caller:
    """Runs `pyfs log` with no setting of AWS's but those it is given."""

    def __init__(self, url: str, home: Path, proxy: AwsProxy) -> None:
        self.url = url
        self.home = home
        self.proxy = proxy

    def log(self, settings: dict[str, str], *options: str, config: str = "") -> list[Signature]:
        """Reads the log by way of the proxy; how its requests were signed."""
        before = len(self.proxy.signatures)
        done = self.try_log(settings, *options, config=config)
        assert done.returncode == 0, done.stderr
        assert "insert primes" in done.stdout
        return self.proxy.signatures[before:]

    def try_log(
        self, settings: dict[str, str], *options: str, config: str = ""
    ) -> subprocess.CompletedProcess[str]:
        (self.home / "config").write_text(config)
        directories = f"cache-dir={self.home / f'cache{next(_numbers)}'},state-dir={self.home}"
        words = [word for option in (directories, *options) for word in ("-o", option)]
        environment = {
            "AWS_CONFIG_FILE": str(self.home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **settings,
        }
        return pyfs("log", *words, self.url, environment=environment)


@pytest.fixture
def caller(url: str, tmp_path: Path, proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> Caller:
    for name in ("PROFILE", "REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    return Caller(url, tmp_path, proxy)


def test_endpoints(caller: Caller, proxy: AwsProxy) -> None:
    caller.log({**IN_REGION, "AWS_ENDPOINT_URL": proxy.url})
    each = {"AWS_ENDPOINT_URL_S3": proxy.url, "AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    caller.log({**IN_REGION, **each})
    caller.log({**IN_REGION, "AWS_ENDPOINT_URL": ELSEWHERE, **each})
    caller.log({**IN_REGION, "AWS_ENDPOINT_URL": ELSEWHERE}, f"endpoint={proxy.url}")
    profile = f"[profile here]\nregion = {REGION}\nendpoint_url = {proxy.url}\n"
    caller.log({**KEYS, "AWS_PROFILE": "here"}, config=profile)


def test_a_wrong_endpoint_is_told_in_one_line(caller: Caller) -> None:
    done = caller.try_log({**IN_REGION, "AWS_ENDPOINT_URL": ELSEWHERE}, "timeout=500ms")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("pyfs log: dynamodb:GetItem of 'primes'")
    assert ELSEWHERE in line


def test_regions(caller: Caller, proxy: AwsProxy) -> None:
    settings = {**KEYS, "AWS_ENDPOINT_URL": proxy.url}
    profile = (
        "[profile far]\nregion = sa-east-1\n"
        f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    )

    def regions(more: dict[str, str], *options: str) -> set[str]:
        before = len(proxy.signatures)
        # Where each region has tables of its own, it finds none, and has asked all the same.
        caller.try_log({**settings, **more}, *options, config=profile)
        return {signature.region for signature in proxy.signatures[before:]}

    assert regions({"AWS_REGION": "eu-west-1"}) == {"eu-west-1"}
    assert regions({"AWS_DEFAULT_REGION": "eu-west-2"}) == {"eu-west-2"}
    both = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    assert regions(both) == {"eu-west-1"}
    assert regions(both, "region=eu-north-1") == {"eu-north-1"}
    assert regions(both, "aws-region=eu-north-1") == {"eu-north-1"}
    assert regions({"AWS_PROFILE": "far"}) == {"sa-east-1"}
    assert regions({}, "profile=far") == {"sa-east-1"}
    assert regions({}, "aws-creds-profile=far") == {"sa-east-1"}


@pytest.mark.parametrize("by", ["AWS_PROFILE", "profile="])
def test_a_role_is_assumed_by_way_of_another_profile(
    caller: Caller, proxy: AwsProxy, by: str
) -> None:
    config = f"""\
[profile work]
aws_access_key_id = {ACCESS_KEY}
aws_secret_access_key = {SECRET_KEY}

[profile reader]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = work
region = {REGION}
"""
    settings = {"AWS_ENDPOINT_URL": proxy.url}
    if by == "AWS_PROFILE":
        signatures = caller.log({**settings, by: "reader"}, config=config)
    else:
        signatures = caller.log(settings, f"{by}reader", config=config)
    assert proxy.actions[0] == "sts:AssumeRole"
    assert "sts:AssumeRole" not in proxy.actions[1:]
    assert signatures[0].key == ACCESS_KEY
    [role] = {signature.key for signature in signatures[1:]}
    assert role != ACCESS_KEY
