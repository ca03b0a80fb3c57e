"""Between a mount and the servers: names each request as AWS's policies do, and may refuse it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})
DENIED: Final = "not authorized"

READER: Final = frozenset(
    {"dynamodb:GetItem", "dynamodb:DescribeTable", "s3:GetObject", "s3:ListBucket"}
)
"""What dolt's manual grants who reads."""
EDITOR: Final = READER | {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
}
"""What it grants who writes."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed a request, and for which region."""

    key: str
    region: str

    @staticmethod
    def of(authorization: str) -> Signature:
        """From the header `Authorization` of a request."""
        match = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", authorization)
        return Signature(*match.groups()) if match else Signature("", "")


def action_of(method: str, target: str, dynamodb_target: str | None, body: bytes) -> str:
    """The action that a request needs, such as `s3:GetObject`; buckets stand in the path."""
    if dynamodb_target is not None:
        return f"dynamodb:{dynamodb_target.partition('.')[2]}"
    if (method, target) == ("POST", "/"):
        return f"sts:{parse_qs(body.decode()).get('Action', ['unknown'])[0]}"
    url = urlsplit(target)
    _, _, key = url.path.lstrip("/").partition("/")
    query = parse_qs(url.query, keep_blank_values=True)
    match method, bool(key):
        case ("GET" | "HEAD", True) if not query:
            return "s3:GetObject"
        case ("HEAD", False):
            return "s3:ListBucket"
        case ("GET", False) if not query or "list-type" in query:
            return "s3:ListBucket"
        case ("PUT", True) | ("POST", True) if "uploadId" in query or "uploads" in query:
            return "s3:PutObject"
        case ("PUT", True) if not query:
            return "s3:PutObject"
        case ("DELETE", True) if "uploadId" in query:
            return "s3:AbortMultipartUpload"
        case ("DELETE", True):
            return "s3:DeleteObject"
    return f"unknown: {method} {target}"


class AwsProxy:
    """Forwards to S3 and DynamoDB; the request says which."""

    def __init__(self, s3: str, dynamodb: str) -> None:
        self.actions: list[str] = []
        """What was asked for so far."""
        self.signatures: list[Signature] = []
        """How it was signed."""
        self.allowed: frozenset[str] | None = None
        """The actions that the credentials allow, or None for all."""
        self.alive = True
        """Whether it answers at all; if not, it breaks connections off."""
        self.on_request: Callable[[str], None] = lambda _: None
        """Called with each action before it is passed on."""
        self.on_answer: Callable[[str], None] = lambda _: None
        """Called with each action once it is carried out, before its answer is passed back."""
        self._upstreams = {False: urlsplit(s3), True: urlsplit(dynamodb)}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[AwsProxy]:
        """Serves for as long as the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def environment(self) -> dict[str, str]:
        """The settings by which a program finds it."""
        return {"AWS_ENDPOINT_URL_S3": self.url, "AWS_ENDPOINT_URL_DYNAMODB": self.url}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024

            def log_message(self, format: str, *args: object) -> None:
                pass

            def handle_expect_100(self) -> bool:
                expected = super().handle_expect_100()
                self.wfile.flush()
                return expected

            def answer(self) -> None:
                body = self._body()
                target = self.headers.get("X-Amz-Target")
                action = action_of(self.command, self.path, target, body)
                proxy.actions.append(action)
                proxy.signatures.append(Signature.of(self.headers.get("Authorization", "")))
                proxy.on_request(action)
                if not proxy.alive:
                    self.close_connection = True
                elif proxy.allowed is not None and action not in proxy.allowed:
                    self._deny(action, target is not None)
                else:
                    self._forward(action, body, target is not None)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while length := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(length))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def _deny(self, action: str, dynamodb: bool) -> None:
                if dynamodb:
                    kind = "com.amazon.coral.service#AccessDeniedException"
                    data = json.dumps({"__type": kind, "message": f"{DENIED}: {action}"})
                    self._send(400, {"Content-Type": "application/x-amz-json-1.0"}, data.encode())
                else:
                    message = f"<Code>AccessDenied</Code><Message>{DENIED}: {action}</Message>"
                    data = f'<?xml version="1.0" encoding="UTF-8"?><Error>{message}</Error>'
                    self._send(403, {"Content-Type": "application/xml"}, data.encode())

            def _forward(self, action: str, body: bytes, dynamodb: bool) -> None:
                upstream = proxy._upstreams[dynamodb]
                connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port)
                with contextlib.closing(connection):
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                    connection.request(self.command, self.path, body or None, headers)
                    answer = connection.getresponse()
                    data = answer.read()
                    proxy.on_answer(action)
                    self._send(answer.status, dict(answer.getheaders()), data)

            def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
                self.send_response_only(status)
                for key, value in headers.items():
                    if key.lower() not in HOP_BY_HOP | {"content-length"}:
                        self.send_header(key, value)
                length = headers.get("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

        return Handler
