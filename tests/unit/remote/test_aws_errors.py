"""What AWS and boto3 say, in the words of pyfs: what failed, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRetryConfigurationError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

from pyfs.errors import (
    AbsentRemoteError,
    AccessError,
    ConfigurationError,
    NotFoundError,
    PyfsError,
    RemoteError,
)
from pyfs.remote.aws_errors import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

DOING = "s3:GetObject of s3://bucket/key"


def answer(code: str, message: str = "") -> ClientError:
    error: Mapping[str, Mapping[str, str]] = {"Error": {"Code": code, "Message": message}}
    return ClientError(error, "GetObject")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "kind", "parts"),
    [
        (answer("AccessDenied", "no grant"), AccessError, [DOING, "no grant", "policy"]),
        (answer("AccessDeniedException"), AccessError, [DOING, "policy"]),
        (answer("403"), AccessError, [DOING, "policy"]),
        (
            answer("ExpiredToken", "it expired"),
            AccessError,
            [DOING, "it expired", "renew", "mount again"],
        ),
        (answer("InvalidAccessKeyId"), AccessError, [DOING, "check the credentials"]),
        (answer("SignatureDoesNotMatch"), AccessError, [DOING, "check the credentials"]),
        (
            answer("InvalidSignatureException", "Check your key\nand signing method."),
            AccessError,
            ["Check your key and signing method; renew"],
        ),
        (answer("RequestTimeTooSkewed"), AccessError, [DOING, "RequestTimeTooSkewed"]),
        (answer("NoSuchBucket"), AbsentRemoteError, [DOING, "no such bucket", "region"]),
        (answer("ResourceNotFoundException"), AbsentRemoteError, ["no such DynamoDB table"]),
        (answer("NoSuchKey"), NotFoundError, [DOING, "not there"]),
        (answer("404"), NotFoundError, [DOING, "not there"]),
        (answer("InternalError", "try again"), RemoteError, [DOING, "try again"]),
        (answer("SlowDown"), RemoteError, [DOING, "SlowDown"]),
        (NoCredentialsError(), ConfigurationError, ["AWS_PROFILE", "aws configure"]),
        (
            PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            ConfigurationError,
            ["AWS_SECRET_ACCESS_KEY"],
        ),
        (NoRegionError(), ConfigurationError, ["AWS_REGION", "-o region="]),
        (ProfileNotFound(profile="me"), ConfigurationError, ["me", "list-profiles"]),
        (UnauthorizedSSOTokenError(), AccessError, ["SSO"]),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            RemoteError,
            [DOING, "http://127.0.0.1:9", "check the network"],
        ),
        (ConnectTimeoutError(endpoint_url="http://x"), RemoteError, [DOING, "check the network"]),
        (ReadTimeoutError(endpoint_url="http://x"), RemoteError, [DOING, "check the network"]),
        (ValueError("Invalid endpoint: x"), ConfigurationError, ["Invalid endpoint", "endpoint="]),
        (
            InvalidRetryConfigurationError(retry_config_option="x", valid_options=["y"]),
            ConfigurationError,
            ["check the AWS settings"],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
def test_each_is_told_in_one_line(
    raised: Exception, kind: type[PyfsError], parts: list[str]
) -> None:
    error = translate(raised, DOING)
    assert type(error) is kind
    assert "\n" not in str(error)
    for part in parts:
        assert part in str(error)
