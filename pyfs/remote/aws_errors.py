"""What boto3 raises, as errors that say what to do."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

from pyfs.errors import (
    AbsentRemoteError,
    AccessError,
    ConfigurationError,
    NoAnswerError,
    NotFoundError,
    PyfsError,
    RemoteError,
)

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403", "Forbidden"}
)
BAD_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
ABSENT: Final = frozenset({"NoSuchKey", "404", "NotFound"})
PASSING: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        # Another upload of the same file is under way, maybe the attempt before.
        "ConditionalRequestConflict",
        "InternalError",
        "InternalServerError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""What AWS says where the same request may be taken a moment later."""


def is_transient(exc: Exception) -> bool:
    """Whether the same request may succeed a moment later."""
    match exc:
        case ClientError():
            status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return error_code(exc) in PASSING or status >= 500 or status == 429
        case SSLError():
            # Cut off while it was set up. A certificate does not become a good one.
            return "EOF" in str(exc)
        case ConnectionError() | HTTPClientError() | IncompleteReadError():
            return True
        case _:
            return False


def translate(exc: Exception, doing: str, tried: str = "") -> PyfsError:
    """The error to raise for *exc*, which came up while *doing* something, such as
    `s3:GetObject of s3://bucket/key`. *tried* says how often, and for how long, where that was in
    vain: then it is a `NoAnswerError`.
    """
    if tried:
        told = _said(exc) if isinstance(exc, ClientError) else _clause(exc)
        return NoAnswerError(
            f"{doing}: {told}; {tried}; check the network, the region and the endpoint"
        )
    match exc:
        case ClientError():
            return _translate_answer(exc, doing)
        case NoCredentialsError() | PartialCredentialsError():
            return ConfigurationError(
                "no AWS credentials were found; set AWS_PROFILE, AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY, or -o profile=, or run `aws configure`"
            )
        case NoRegionError():
            return ConfigurationError("no AWS region is set; set AWS_REGION or -o region=")
        case ProfileNotFound():
            return ConfigurationError(f"{exc}; `aws configure list-profiles` shows those there are")
        case CredentialRetrievalError() | TokenRetrievalError() | SSOError():
            return AccessError(f"{doing}: no credentials could be had: {exc}")
        case ConnectionError() | HTTPClientError() | IncompleteReadError():
            return RemoteError(
                f"{doing}: {_clause(exc)}; check the network, the region and the endpoint"
            )
        case BotoCoreError() | ValueError():
            return ConfigurationError(
                f"{doing}: {_clause(exc)}; check the AWS settings "
                "(environment, profile, -o endpoint=)"
            )
        case _:
            return RemoteError(f"{doing}: {exc}")


def error_code(exc: ClientError) -> str:
    """The code of an answer, such as `NoSuchKey`."""
    return str(exc.response.get("Error", {}).get("Code", ""))


def _clause(told: object) -> str:
    """What AWS or botocore says, as a part of a sentence: one line, no full stop at its end."""
    return " ".join(str(told).split()).rstrip(" .")


def _said(exc: ClientError) -> str:
    return _clause(exc.response.get("Error", {}).get("Message", "")) or error_code(exc)


def _translate_answer(exc: ClientError, doing: str) -> PyfsError:
    code = error_code(exc)
    message = _said(exc)
    if code == "NoSuchBucket":
        return AbsentRemoteError(f"{doing}: there is no such bucket; check the URL and the region")
    if code == "ResourceNotFoundException":
        return AbsentRemoteError(
            f"{doing}: there is no such DynamoDB table; check the URL and the region"
        )
    if code in ABSENT:
        return NotFoundError(f"{doing}: it is not there")
    if code in DENIED:
        return AccessError(f"AWS refused {doing}: {message}; check the policy of the credentials")
    if code in BAD_CREDENTIALS:
        # boto3 reads those of a file or the environment once, and renews the others itself.
        return AccessError(
            f"AWS refused {doing}: {message}; renew or check the credentials, and mount again if "
            "they stand in a file or the environment"
        )
    return RemoteError(f"{doing}: {message}; try again, and check the URL and region if it stays")
