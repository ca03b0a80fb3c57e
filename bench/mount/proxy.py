"""`Proxy`: an HTTP forwarder that counts requests and bytes and adds latency."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass(slots=True)
class Traffic:
    """Requests and the bytes of their bodies, both ways."""

    requests: int = 0
    bytes: int = 0


class Proxy:
    """Forwards to one server."""

    def __init__(self, target: str, latency_s: float) -> None:
        self.traffic = Traffic()
        self._target = urlsplit(target)
        self._latency_s = latency_s
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serves for as long as the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _count(self, length: int) -> None:
        with self._lock:
            self.traffic.requests += 1
            self.traffic.bytes += length

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet a header would wait for the acknowledgement of the one before.
            wbufsize = 64 * 1024
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self.upstream = http.client.HTTPConnection(
                    str(proxy._target.hostname), proxy._target.port
                )

            def finish(self) -> None:
                self.upstream.close()
                super().finish()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def handle_expect_100(self) -> bool:
                # Unflushed, it would keep the client waiting for a second.
                expected = super().handle_expect_100()
                self.wfile.flush()
                return expected

            def forward(self) -> None:
                body = self._body()
                time.sleep(proxy._latency_s)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                headers.pop("Expect", None)
                self.upstream.request(self.command, self.path, body or None, headers)
                answer = self.upstream.getresponse()
                data = answer.read()
                proxy._count(len(body) + len(data))
                self.send_response_only(answer.status, answer.reason)
                for key, value in answer.getheaders():
                    if key.lower() not in HOP_BY_HOP | {"content-length"}:
                        self.send_header(key, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    parts = []
                    while length := int(self.rfile.readline().split(b";")[0], 16):
                        parts.append(self.rfile.read(length))
                        self.rfile.readline()
                    self.rfile.readline()
                    return b"".join(parts)
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward  # noqa: N815

        return Handler
