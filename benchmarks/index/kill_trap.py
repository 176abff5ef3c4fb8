"""Ending a process at a chosen point of its work: every change of a file that it announces (PEP 578) is one.

The library knows nothing of it. Python announces a change before it happens, so the process ends with the change
undone and all earlier ones done; the point after the last change of an act is the moment before it is acknowledged.
"""

import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime", "lookalike.exchange"}
)
IN_FOLDER = frozenset({"os.remove", "os.mkdir", "os.rmdir"})
"""Those that may name a path relative to an open folder, which is announced last."""
CALLS = "lookalike.call"
"""What a client of a server announces before each request."""
DONE = "done, not yet acknowledged"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANCE = re.compile(r"\.[a-z0-9_]{8}(?=\.(?:partial|old|removed)\b)")
_COUNTED = re.compile(r"[0-9a-f]{12,}|\d+")


@dataclass(frozen=True)
class Point:
    """The n-th change within an act, both from 0."""

    act: int
    change: int


class Trap:
    """Notes the points a process passes under a folder, and kills it at one."""

    def __init__(self, root: Path, at: Point | None) -> None:
        self.passed: list[list[str]] = []
        """Per act the names of its points."""
        self._root = f"{root}/"
        self._at = at
        self._act: int | None = None

    def arm(self) -> None:
        """Listen from now on; Python has no way to stop it, so only in a process that ends."""
        sys.addaudithook(self._heard)

    def begin(self, act: int) -> None:
        """Count the points of this act."""
        self.passed += [[] for _ in range(act + 1 - len(self.passed))]
        self._act = act

    def end(self) -> None:
        """The act returned, and is about to be acknowledged."""
        self._reached(DONE, last=True)
        self._act = None

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._act is None or (event not in CHANGES and event != CALLS):
            return
        if event == CALLS:
            self._reached(f"call {arguments[0]}")
        elif event != "open" or (isinstance(arguments[2], int) and arguments[2] & _WRITES):
            folder = arguments[-1] if event in IN_FOLDER else -1
            names = [self._within(path, folder) for path in arguments[: 1 if event != "os.rename" else 2]]
            if any(names):
                self._reached(f"{event.removeprefix('os.')} {' to '.join(name for name in names if name)}")

    def _reached(self, name: str, last: bool = False) -> None:
        assert self._act is not None
        here = Point(self._act, len(self.passed[self._act]))
        self.passed[self._act].append(name)
        # Clearing up after an earlier kill may take fewer steps than were counted: then the last one is the place.
        if self._at is not None and (here == self._at or (last and here.act == self._at.act)):
            os.kill(os.getpid(), signal.SIGKILL)

    def _within(self, path: Any, folder: int) -> str:
        """The last two names of a path under the root, chance and numbers taken out; nothing for one elsewhere."""
        if not isinstance(path, str | bytes | os.PathLike):
            return ""
        found = os.fsdecode(path)
        if not found.startswith("/") and folder > 0:
            found = f"{os.readlink(f'/proc/self/fd/{folder}')}/{found}"  # noqa: PTH115 - an open folder has no other name
        if not found.startswith(self._root):
            return ""
        inner = found.removeprefix(self._root).split("/")[-2:]
        return "/".join(_COUNTED.sub("#", _CHANCE.sub(".*", name)) for name in inner)
