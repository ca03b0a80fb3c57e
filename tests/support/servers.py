"""S3 and DynamoDB servers as real processes on this machine.

`moto` by default; with PYFS_TEST_SERVERS=real MinIO and DynamoDB Local, which
`scripts/install-servers.sh` puts into `.servers`.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pyfs._core import Manifest
from pyfs.remote.url import AwsUrl, parse_url

SERVERS = Path(__file__).parents[2] / ".servers"
START_DEADLINE_S = 60.0
# DynamoDB Local takes letters and digits only.
ACCESS_KEY, SECRET_KEY, REGION = "pyfstest", "pyfstestsecret", "us-east-1"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the servers listen."""

    s3: str
    dynamodb: str

    def environment(self) -> dict[str, str]:
        """The settings by which a program finds them."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the servers, whatever the environment says."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.s3 if service == "s3" else self.dynamodb,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def make(self, table: str, bucket: str) -> None:
        """Creates an empty manifest table and an empty bucket."""
        self.client("dynamodb").create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "db", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "db", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("s3").create_bucket(Bucket=bucket)

    def upload(self, directory: Path, url: str) -> None:
        """Copies the `file://` remote in *directory* to *url*, whose table and bucket exist."""
        aws = parse_url(url)
        assert isinstance(aws, AwsUrl)
        s3 = self.client("s3")
        for file in directory.iterdir():
            if file.is_file() and file.name not in ("manifest", "LOCK"):
                s3.put_object(
                    Bucket=aws.bucket, Key=f"{aws.path}/{file.name}", Body=file.read_bytes()
                )
        manifest = Manifest.parse((directory / "manifest").read_bytes())
        self.client("dynamodb").put_item(
            TableName=aws.table,
            Item={
                "db": {"S": aws.path},
                "nbsVers": {"S": "4"},
                "vers": {"S": manifest.nbf_version},
                "root": {"B": bytes(manifest.root)},
                "lck": {"B": bytes(manifest.lock)},
                "specs": {"S": manifest.specs_text},
            },
        )


@contextlib.contextmanager
def running_servers() -> Iterator[Endpoints]:
    """The servers, for as long as the block lasts."""
    if os.environ.get("PYFS_TEST_SERVERS") == "real":
        with _minio() as s3, _dynamodb_local() as dynamodb:
            yield Endpoints(s3, dynamodb)
    else:
        port = _free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with _process(command, port) as url:
            yield Endpoints(url, url)


@contextlib.contextmanager
def _minio() -> Iterator[str]:
    port, console = _free_port(), _free_port()
    settings = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY}
    with tempfile.TemporaryDirectory(prefix="minio-", dir=SERVERS) as data:
        command = [str(SERVERS / "minio"), "server", data]
        command += ["--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console}"]
        with _process(command, port, settings) as url:
            yield url


@contextlib.contextmanager
def _dynamodb_local() -> Iterator[str]:
    port = _free_port()
    lib = SERVERS / "lib"
    main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    command = ["java", f"-Djava.library.path={lib}", "-cp", f"{lib}/*", main]
    # Shared: whoever asks, in whatever region, sees the same tables.
    command += ["-inMemory", "-sharedDb", "-port", str(port)]
    with _process(command, port) as url:
        yield url


@contextlib.contextmanager
def _process(
    command: list[str], port: int, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(settings or {})},
    )
    try:
        deadline = time.monotonic() + START_DEADLINE_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen on port {port}")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
