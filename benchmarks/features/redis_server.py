"""A real Redis on a free loopback port for as long as a `with` block."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from lookalike.errors import BackendUnavailable
from serving.ports import LOOPBACK, free_ports

START_SECONDS = 30.0


@contextmanager
def redis_on_loopback(folder: Path) -> Iterator[Redis]:
    """A client of it; nothing is kept on disk. Raises BackendUnavailable where there is no redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        raise BackendUnavailable("there is no redis-server here; `make redis` installs Debian's")
    [port] = free_ports(1)
    options = {"port": port, "bind": LOOPBACK, "save": "", "dir": folder, "logfile": folder / "redis.log"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    process = subprocess.Popen([program, *arguments])
    try:
        client = Redis(host=LOOPBACK, port=port)
        _wait(client)
        yield client
    finally:
        process.kill()
        process.wait()


def used_memory(client: Redis) -> int:
    """Bytes that Redis says it uses."""
    told: Any = client.info("memory")
    return int(told["used_memory"])


def _wait(client: Redis) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.ping()
            return
        except RedisError as error:
            if time.monotonic() > deadline:
                raise BackendUnavailable(f"redis-server did not start within {START_SECONDS:.0f} s") from error
        time.sleep(0.01)
