"""A small web on loopback, which looks public to a fetcher that is told so: names, addresses, and what they answer."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import trustme

from lookalike.deadline import Deadline
from serving.fetching.addresses import IPAddress, is_public
from serving.fetching.fetcher import Fetcher
from serving.fetching.settings import FetchSettings

Page = Callable[[BaseHTTPRequestHandler], None]
SHOP = "127.0.0.1"
"""The one loopback address that stands for a public host; 127.0.0.2 and all others stay what they are."""


def content(body: bytes, kind: str = "image/jpeg") -> Page:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def redirect(to: str, status: int = 302) -> Page:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Location", to.replace("{port}", str(request.server.server_address[1])))
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def dripping(part: bytes, stop: threading.Event) -> Page:
    """Endless, a byte at a time."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" if part == b"x" else b"HTTP/1.1 200 OK\r\nX: ")
        if part == b"x":
            request.wfile.write(b"\r\n")
        while not stop.wait(0.02):
            request.wfile.write(part)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """More than anybody asked for, without saying how much."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        request.wfile.write(b"x" * 65_536)


@contextmanager
def web(pages: Mapping[str, Page], secure: ssl.SSLContext | None = None) -> Iterator["Web"]:
    """Serve the pages until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.headers["Host"], self.path))
            try:
                pages.get(self.path, lambda request: request.send_error(404))(self)
            except OSError:
                self.close_connection = True  # the fetcher has had enough

        def log_message(self, *_: Any) -> None:
            pass

    seen: list[tuple[str, str]] = []
    server = ThreadingHTTPServer((SHOP, 0), Handler)
    server.daemon_threads = True
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Web(server.server_address[1], seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Web:
    """Where the pages are, and who asked for them."""

    def __init__(self, port: int, seen: list[tuple[str, str]]) -> None:
        self.port = port
        self.seen = seen
        """(Host header, path) of every request that arrived."""

    def url(self, path: str, host: str = "shop.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def fetcher(self, names: Mapping[str, list[str]] | None = None, **changed: Any) -> Fetcher:
        """A fetcher for which SHOP is public and names resolve as given; `shop.example` is SHOP."""
        known = {"shop.example": [SHOP], **(names or {})}

        def resolve(host: str, _: int) -> list[str]:
            if host in known:
                return known[host]
            return [str(ip_address(host))]

        chosen = {"enabled": True, "schemes": ("https", "http"), "ports": (self.port,), **changed}
        return Fetcher(FetchSettings(**chosen), resolve, allowed, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def allowed(address: IPAddress) -> bool:
    return str(address) == SHOP or is_public(address)


def soon() -> Deadline:
    return Deadline.after(30)


@contextmanager
def secure_web(name: str, body: bytes) -> Iterator[tuple[int, ssl.SSLContext, list[str]]]:
    """An https server with a certificate for `name`: its port, who trusts it, and the names asked for by SNI."""
    authority, trusted, asked = trustme.CA(), ssl.create_default_context(), list[str]()
    authority.configure_trust(trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.sni_callback = lambda _, given, __: asked.append(given)
    with web({"/photo": content(body)}, context) as served:
        yield served.port, trusted, asked
