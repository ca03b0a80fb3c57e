"""Makes the boto3 clients, their pool and timeouts from `MountConfig`."""

import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from pyfs.config import MountConfig
from pyfs.remote.aws_errors import translate
from pyfs.remote.models import ModelLoader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a service, made once, before any thread uses them."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"


def make_clients(config: MountConfig) -> Clients:
    """Clients by the ordinary chain of settings, with what *config* sets before it."""
    try:
        # Other SDKs, and so dolt, read AWS_REGION; boto3 knows AWS_DEFAULT_REGION only.
        region = config.region or os.environ.get("AWS_REGION")
        core = botocore.session.Session(profile=config.profile)
        core.register_component("data_loader", ModelLoader(core.get_config_variable("data_path")))
        session = boto3.session.Session(botocore_session=core, region_name=region)
        dynamodb = session.client(
            "dynamodb", endpoint_url=config.endpoint, config=_settings(config, path_style=False)
        )
        # A bucket cannot be a host name below an address. Making a client takes a tenth of a
        # second, so the usual places of an endpoint are looked at before; a profile may have one.
        s3_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        path_style = _is_address(config.endpoint or s3_endpoint or "")
        s3 = session.client(
            "s3", endpoint_url=config.endpoint, config=_settings(config, path_style=path_style)
        )
        if not path_style and _is_address(s3.meta.endpoint_url):
            s3 = session.client(
                "s3", endpoint_url=config.endpoint, config=_settings(config, path_style=True)
            )
    except (BotoCoreError, ValueError) as exc:
        raise translate(exc, "setting up AWS") from exc
    return Clients(s3, dynamodb)


def _settings(config: MountConfig, *, path_style: bool) -> Config:
    return Config(
        connect_timeout=_within(config.connect_timeout_s, config),
        read_timeout=_within(config.read_timeout_s, config),
        max_pool_connections=config.requests_max,
        # `Attempts` repeats.
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        s3={"addressing_style": "path" if path_style else "auto"},
        # Every chunk is verified against its address, and other S3 servers refuse the rest.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="pyfs",
    )


def silence_max_s(config: MountConfig) -> float:
    """How long an attempt lasts at most in which nothing comes from the server."""
    return _within(config.connect_timeout_s, config) + _within(config.read_timeout_s, config)


def _within(timeout_s: float, config: MountConfig) -> float:
    """*timeout_s* of one attempt, but no more than a whole request may take."""
    return min(timeout_s, max(1.0, config.timeout_s))


def _is_address(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
