"""A client that costs as little as it can: on the service's own machine it takes the service's own cores.

Requests are bytes made beforehand; of an answer only the status and the length are looked at.
"""

import socket
from dataclasses import dataclass
from types import TracebackType

LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 30.0
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status: int
    body: bytes


def post(path: str, body: bytes, content_type: str, **headers: str) -> bytes:
    """An HTTP/1.1 request that keeps its connection."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {LOOPBACK}", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {len(body)}", *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items())]
    return "\r\n".join(lines).encode() + HEAD_END + body


def photo_request(photo: bytes, k: int, **headers: str) -> bytes:
    """The plain upload: the photo as the body."""
    return post(f"/search?k={k}", photo, "image/jpeg", **headers)


class Connection:
    """One connection, one question after the other. Raises OSError where the service is not there or goes away."""

    def __init__(self, port: int, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), timeout_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> Reply:
        """Send a request and wait for its answer."""
        self._socket.sendall(request)
        received = self._receive()
        while (end := received.find(HEAD_END)) < 0:
            received += self._receive()
        status, length = read_head(received[:end])
        total = end + len(HEAD_END) + length
        while len(received) < total:
            received += self._receive()
        return Reply(status, received[end + len(HEAD_END) :])

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self) -> bytes:
        part = self._socket.recv(65_536)
        if not part:
            raise ConnectionResetError("the service closed the connection")
        return part


def read_head(head: bytes) -> tuple[int, int]:
    """An answer's status and the length of its body."""
    lowered = head.lower()
    start = lowered.index(LENGTH) + len(LENGTH)
    return int(head[9:12]), int(lowered[start:].split(b"\r\n", 1)[0])
