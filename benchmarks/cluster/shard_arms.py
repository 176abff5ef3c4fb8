"""Builds that take turns on one machine, each killed when its time has come and started again at once.

While one works the other is stopped, and only its own time counts. So whatever else the machine does falls on both
alike.
"""

import ctypes
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.cluster.shard_phases import Kill, reached

TURN_SECONDS = 10.0
LOOK_SECONDS = 0.1
_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass
class Arm:
    """A build, and what it has come to."""

    command: Sequence[str]
    where: Callable[[], tuple[str, float]]
    """The phase it is in and the share of it that is done."""
    kills: list[Kill]
    """Those to come."""
    seconds: float = 0.0
    """On the wall, of its own turns."""
    processor_seconds: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    """How often, by phase."""
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds on the wall by phase."""
    done: bool = False
    _group: int = 0
    _due: float | None = None

    def turn(self, seconds: float) -> None:
        """Work for so long, or until all is done. Raises RuntimeError where the build fails."""
        self._begin()
        until = self.seconds + seconds
        while not self.done and self.seconds < until:
            started = time.perf_counter()
            time.sleep(LOOK_SECONDS)
            phase, share = self.where()
            ended = os.waitid(os.P_PID, self._group, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            passed = time.perf_counter() - started
            self.seconds += passed
            self.spent[phase] += passed
            if ended is not None:
                self._end(ended.si_status)
            elif self._is_due(phase, share):
                self._kill(phase)
        if self._group:
            os.killpg(self._group, signal.SIGSTOP)

    def _begin(self) -> None:
        if self._group:
            os.killpg(self._group, signal.SIGCONT)
        else:
            self._group = os.posix_spawn(self.command[0], list(self.command), os.environ, setsid=True)

    def _is_due(self, phase: str, share: float) -> bool:
        if not self.kills or not reached(self.kills[0], phase, share):
            return False
        if self._due is None:
            self._due = self.seconds + self.kills[0].delay
        return self.seconds >= self._due

    def _kill(self, phase: str) -> None:
        os.killpg(self._group, signal.SIGKILL)
        self._reap()
        self.killed[phase] += 1
        sys.stderr.write(f"killed while {phase}, after {self.seconds:.0f} s; {len(self.kills) - 1} kills to come\n")
        self._due, self.kills = None, self.kills[1:]
        self._begin()

    def _end(self, status: int) -> None:
        self._reap()
        if status:
            raise RuntimeError(f"the build ended with {status}: {' '.join(self.command)}")
        self.done = True

    def _reap(self) -> None:
        """Wait for every process of the group, orphans too, and count the processor time of each."""
        while True:
            try:
                _, _, used = os.wait4(-self._group, 0)
            except ChildProcessError:
                break
            self.processor_seconds += used.ru_utime + used.ru_stime
        self._group = 0


def take_turns(arms: Sequence[Arm]) -> None:
    """Until all are done; orphans of killed processes become this process' own, and are waited for."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    while waiting := [arm for arm in arms if not arm.done]:
        for arm in waiting:
            arm.turn(TURN_SECONDS)
