"""A real Redis of a test's own, that can be stopped and started again."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep

import pytest
from redis import Redis
from redis.exceptions import RedisError


def redis_program() -> str:
    """Skips the test where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here: `make redis` installs Debian's")
    return program


class RedisServer:
    """It listens on a socket in its folder, and on no port unless `more` says so."""

    def __init__(self, folder: Path, more: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.socket = folder, folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.client = Redis.from_url(self.url)
        places = ["--unixsocket", str(self.socket), "--dir", str(folder), "--logfile", str(folder / "redis.log")]
        self._command = [redis_program(), "--port", "0", "--save", "", "--appendonly", "yes", *places, *more]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RedisServer":
        self.process = subprocess.Popen(self._command)
        deadline = monotonic() + 30
        while not self._answers():
            assert monotonic() < deadline, (self.folder / "redis.log").read_text()
            sleep(0.01)
        return self

    def stop(self) -> None:
        self.client.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def content(self) -> dict[bytes, dict[bytes, bytes]]:
        """Everything it holds."""
        return {key: self.client.hgetall(key) for key in self.client.scan_iter(count=1000)}  # type: ignore[misc]

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False
