"""The fake behind HTTP on loopback, as KFP's client expects it; it can be told to fail."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.pipelines.fake_kfp.store import Store
from tests.pipelines.fake_kfp.swagger import Refused, Swagger


class FakeKfp:
    """One server: its address, what it keeps, and every operation it was asked for."""

    def __init__(self, swagger: Path) -> None:
        self.swagger, self.store = Swagger(swagger), Store()
        self.asked: list[str] = []
        self.url = ""
        self._lock = threading.Lock()
        self._silent: set[str] = set()
        self._over = threading.Event()
        self._failing: list[tuple[str, int, bool]] = []

    def fail(self, operation: str, status: int = 503, after: bool = False) -> None:
        """Answer the next request for an operation with an error: before doing it, or having done it."""
        self._failing.append((operation, status, after))

    def hang(self, operation: str) -> None:
        """Hear every request for an operation from now on, and answer none of them."""
        self._silent.add(operation)

    def end(self) -> None:
        """Let go of who still waits."""
        self._over.set()

    def answer(self, method: str, target: str, body: Any) -> Any:
        """What a request is answered. Raises Refused."""
        address = urlsplit(target)
        operation = self.swagger.operation(method, address.path)
        query = dict(parse_qsl(address.query))
        self.swagger.check_request(operation, query, body)
        if operation.name not in self.store.operations:
            raise Refused(501, f"the fake does not know {operation.name}")
        if operation.name in self._silent:
            self._over.wait()
            raise Refused(503, f"{operation.name} was told to hang")
        with self._lock:
            self.asked.append(operation.name)
            planned = next((one for one in self._failing if one[0] == operation.name), None)
            if planned is not None:
                self._failing.remove(planned)
            if planned is None or planned[2]:
                answer = self.store.operations[operation.name](operation.path, query, body)
                self.swagger.check_answer(operation, answer)
            if planned is not None:
                raise Refused(planned[1], f"{operation.name} was told to fail")
        return answer


@contextmanager
def running_fake(swagger: Path) -> Iterator[FakeKfp]:
    """A server on loopback until the context ends."""
    fake = FakeKfp(swagger)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            sent = self.rfile.read(length)
            plain = self.headers.get("content-type", "").startswith("application/json")
            try:
                status, said = 200, fake.answer(self.command, self.path, json.loads(sent) if sent and plain else None)
            except Refused as refusal:
                status, said = refusal.status, {"code": 3, "message": str(refusal)}
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_PATCH = _answer

        def log_message(self, *values: object) -> None:
            """Tests read what was asked from `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        yield fake
    finally:
        fake.end()
        server.shutdown()
        thread.join()
        server.server_close()
