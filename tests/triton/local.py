"""The local Triton that tests share: the real server, one environment, one repository per session."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.triton.environment import NoTritonBuild, TritonEnvironment, build_environment

DEFAULT = Path(__file__).parents[2] / ".triton"


def triton_environment() -> TritonEnvironment:
    """The environment of `make setup`, built if it is missing; LOOKALIKE_TRITON names another folder."""
    try:
        return build_environment(Path(os.environ.get("LOOKALIKE_TRITON", DEFAULT)))
    except NoTritonBuild as reason:
        pytest.skip(str(reason))


def children(pid: int) -> list[int]:
    """Process ids of a process's children, all its threads' (Linux)."""
    stats = {int(path.parent.name): _parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    return [child for child, parent in stats.items() if parent == pid]


def until(happened: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll with a deadline."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def running(pid: int) -> bool:
    """Whether a process is there and no zombie (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parent(stat: Path) -> int | None:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return None
