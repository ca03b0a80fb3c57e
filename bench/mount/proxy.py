"""`Proxy`: an HTTP forwarder that counts requests and bytes and adds latency.

Bodies are passed on in large pieces as they come, so that it costs little beside what it counts.
"""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEAD_BYTES_MAX = 64 * 1024
PIECE_BYTES = 256 * 1024


@dataclass(slots=True)
class Traffic:
    """Requests and the bytes of their bodies, by direction and method."""

    up: int = 0
    down: int = 0
    methods: dict[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(self.methods.values())

    @property
    def bytes(self) -> int:
        return self.up + self.down

    def copy(self) -> "Traffic":
        return Traffic(self.up, self.down, dict(self.methods))

    def since(self, before: "Traffic") -> "Traffic":
        """What came after *before*."""
        methods = {
            method: count - before.methods.get(method, 0)
            for method, count in self.methods.items()
            if count > before.methods.get(method, 0)
        }
        return Traffic(self.up - before.up, self.down - before.down, methods)


class Proxy:
    """Forwards to one server."""

    def __init__(self, target: str, latency_s: float) -> None:
        self._target = urlsplit(target)
        self._latency_s = latency_s
        self._traffic = Traffic()
        self._lock = threading.Lock()
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    proxy._serve(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def traffic(self) -> Traffic:
        """What has passed so far."""
        with self._lock:
            return self._traffic.copy()

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

    def _serve(self, client: socket.socket) -> None:
        address = (str(self._target.hostname), self._target.port or 80)
        with socket.create_connection(address) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            requests, answers = _Stream(client), _Stream(server)
            while head := requests.head():
                method = head.split(b" ", 1)[0].decode()
                time.sleep(self._latency_s)
                server.sendall(head)
                if _header(head, b"expect") == b"100-continue":
                    client.sendall(answers.head())
                up = requests.pass_body(head, server)
                answer = answers.head()
                while answer.split(b" ", 2)[1] == b"100":
                    client.sendall(answer)
                    answer = answers.head()
                # Counted before the answer is given: who has it may look at the count.
                bodiless = method == "HEAD" or answer.split(b" ", 2)[1] in (b"204", b"304")
                down = 0 if bodiless else int(_header(answer, b"content-length") or 0)
                with self._lock:
                    traffic = self._traffic
                    traffic.methods[method] = traffic.methods.get(method, 0) + 1
                    traffic.up += up
                    traffic.down += down
                client.sendall(answer)
                if not bodiless:
                    answers.pass_body(answer, client)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class _Stream:
    """What comes on a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def head(self) -> bytes:
        """Start line and headers with the empty line; nothing at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            piece = self._connection.recv(PIECE_BYTES)
            if not piece or len(self._buffer) > HEAD_BYTES_MAX:
                return b""
            self._buffer += piece
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def pass_body(self, head: bytes, to: socket.socket) -> int:
        """Passes the body that follows *head* on; returns its bytes."""
        if _header(head, b"transfer-encoding").lower() == b"chunked":
            return self._pass_chunks(to)
        length = int(_header(head, b"content-length") or 0)
        self._pass(length, to)
        return length

    def _pass_chunks(self, to: socket.socket) -> int:
        total = 0
        while True:
            line = self._line()
            length = int(line.split(b";")[0], 16)
            to.sendall(line)
            self._pass(length + 2, to)
            total += length
            if not length:
                return total

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._buffer += self._connection.recv(PIECE_BYTES)
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line + b"\r\n"

    def _pass(self, length: int, to: socket.socket) -> None:
        while length:
            piece = self._buffer[:length] or self._connection.recv(min(PIECE_BYTES, length))
            if not piece:
                raise ConnectionResetError("the body is cut off")
            self._buffer = self._buffer[len(piece) :]
            length -= len(piece)
            to.sendall(piece)


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return b""
