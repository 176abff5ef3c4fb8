"""Connections that go to a checked address and nowhere else, and end with the deadline.

A name is resolved once and every address it has must be allowed; then one of these is dialled, so a name that
answers differently the second time (DNS rebinding) gains nothing. Host and SNI still carry the name.
"""

import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import httpcore

from lookalike.deadline import Deadline
from lookalike.errors import ImageError
from serving.fetching.addresses import IPAddress

Resolve = Callable[[str, int], list[str]]
"""All IP addresses of a host. Raises OSError."""
Allowed = Callable[[IPAddress], bool]

NOT_FETCHED = "the photo's address is not one that this server fetches from"
"""For names that do not exist and for those that lead inside alike: a stranger may not map a network by asking."""
MOST_DIALLED = 2
"""Addresses of a host that are tried."""

SocketOptions = Iterable[Any] | None


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class CheckedBackend(httpcore.NetworkBackend):
    """Dials for one fetch. Raises ImageError for a host that is not allowed, httpcore's errors for one that fails."""

    def __init__(self, resolve: Resolve, allowed: Allowed, resolvers: ThreadPoolExecutor, deadline: Deadline) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._resolvers = resolvers
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        addresses = self._checked(host, port)[:MOST_DIALLED]
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._sockets.connect_tcp(address, port, left(self._deadline))
                return TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise ImageError(NOT_FETCHED)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise ImageError(NOT_FETCHED)

    def _checked(self, host: str, port: int) -> list[str]:
        """Addresses that are all allowed. The system's resolver knows no time limit, so a thread waits for it."""
        try:
            found = self._resolvers.submit(self._resolve, host, port).result(left(self._deadline))
            allowed = bool(found) and all(self._allowed(ip_address(address)) for address in found)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise ImageError(NOT_FETCHED) from error
        if not allowed:
            raise ImageError(NOT_FETCHED)
        return found


class TimedStream(httpcore.NetworkStream):
    """A stream whose every step ends with the deadline, however slowly bytes drip in."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left(deadline: Deadline) -> float:
    """Seconds left for a step. Raises httpcore.ReadTimeout once there are none."""
    seconds = deadline.remaining()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return seconds
