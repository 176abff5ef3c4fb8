"""Several search processes behind one server: Python runs one thread at a time in each, so more of them do more.

One process keeps what there may be only one of: ports, keys and quotas, the queue, metrics and the query log. Decoding,
model, index and features, nine tenths of the work, are done in the others. A photo that crashes a decoder ends one of
these, which is replaced, and not the server.
"""

import contextlib
import logging
import os
import queue
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.connection import wait

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, LookalikeError
from lookalike.release.manifest import Release
from serving.processes.calls import Drop, Load, SearchCall, Told
from serving.processes.engine import RemoteEngine
from serving.processes.process import ProcessLost, SearchProcess, Work
from serving.triton.supervision import Supervision

logger = logging.getLogger(__name__)


class SearchProcesses:
    """Keeps `number` processes at work, each with every release in service loaded. Used from several threads."""

    def __init__(
        self,
        work: Work,
        number: int,
        trace: Callable[[], dict[str, str]] = dict,
        retry_seconds: float = 1.0,
    ) -> None:
        """`trace` gives the headers of the trace in force; `retry_seconds` pass after a process that could not be
        replaced."""
        self._work = work
        self._number = number
        self._trace = trace
        self._retry_seconds = retry_seconds
        self._engines = count(1)
        self._wanted: dict[int, Load] = {}
        self._unheld: deque[int] = deque()
        self._changing = threading.Lock()  # over _wanted and who is in _processes
        self._idle: queue.SimpleQueue[SearchProcess] = queue.SimpleQueue()
        self._processes = [SearchProcess(work) for _ in range(number)]
        for process in self._processes:
            self._idle.put(process)
        self._ended_reloads: Counter[str] = Counter()
        self._closed = False
        self._woken, self._wake = os.pipe()
        self._keeper = threading.Thread(target=self._keep, name="search processes", daemon=True)
        self._keeper.start()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def degraded(self) -> tuple[str, ...]:
        """Parts that failed lately in any of them."""
        return tuple(sorted({part for process in self._processes for part in process.degraded}))

    def supervision(self) -> Supervision:
        """What they know of the model in Triton, and how often those that ended had to heal it."""
        states = [process.supervision for process in self._processes]
        return Supervision.together([*states, Supervision(reloads=self._ended_reloads)])

    def engine(self, release: Release, tried: bool = False) -> RemoteEngine:
        """An engine of the release, loaded in every process; it is let go there once nobody holds it here.

        Raises what keeps a process from loading it, and BackendUnavailable where no process lives to load it.
        """
        with self._changing:
            order = Load(next(self._engines), release, tried)
            try:
                provider = self._load(order)
            except BaseException:
                self._let_go(order.engine)
                raise
            self._wanted[order.engine] = order  # those that take the place of others load it too
        engine = RemoteEngine(release, provider, order.engine, self.ask, self.degraded, self._trace)
        weakref.finalize(engine, self._no_longer_held, order.engine).atexit = False
        return engine

    def ask(self, call: SearchCall) -> Told:
        """What the next free process tells. Raises BackendUnavailable where it is lost over the call."""
        while True:
            process = self._free()
            try:
                told = process.ask(call)
            except ProcessLost as error:
                if error.begun:
                    raise BackendUnavailable(str(error)) from error
                continue  # it had ended before: another one may do what it has not begun
            self._idle.put(process)
            return told

    def close(self) -> None:
        """End all processes; calls under way are finished."""
        self._closed = True
        self._rouse()
        self._keeper.join()
        for process in self._processes:
            process.end()
        os.close(self._wake)
        os.close(self._woken)

    def _free(self) -> SearchProcess:
        deadline = Deadline.current()
        try:
            return self._idle.get(timeout=None if deadline.endless else deadline.remaining())
        except queue.Empty as error:
            raise BackendUnavailable("no search process was free in time") from error

    def _load(self, order: Load) -> str | None:
        """The provider that computes the model there."""

        def loaded(process: SearchProcess) -> tuple[str | None] | None:
            try:
                return (process.load(order),)
            except ProcessLost as error:
                logger.error("%s", error)
                return None

        with ThreadPoolExecutor(self._number) as threads:
            providers = [each for each in threads.map(loaded, self._processes) if each is not None]
        if not providers:
            raise BackendUnavailable("no search process lives to load the release")
        return providers[0][0]

    def _keep(self) -> None:
        """Replace those that end, and let engines go that nobody holds."""
        while not self._closed:
            complete = self._replace()
            sentinels = [process.sentinel for process in self._processes]
            if self._woken in wait([self._woken, *sentinels], None if complete else self._retry_seconds):
                os.read(self._woken, 4096)
            while self._unheld:
                with self._changing:
                    self._let_go(self._unheld.popleft())

    def _replace(self) -> bool:
        """Whether as many live as should."""
        with self._changing:
            alive = [process for process in self._processes if process.alive]
            for process in self._processes:
                self._ended_reloads += Counter() if process in alive else process.supervision.reloads
            self._processes = alive
            while len(self._processes) < self._number:
                process = SearchProcess(self._work)
                try:
                    for order in self._wanted.values():
                        process.load(order)
                except LookalikeError as error:
                    logger.error("a search process could not be replaced: %s", error)
                    process.kill()
                    return False
                self._processes.append(process)
                self._idle.put(process)
                logger.warning("search process %d takes the place of one that ended", process.pid)
            return True

    def _no_longer_held(self, engine: int) -> None:
        """Called by the garbage collector, in whichever thread and under whichever lock: it only leaves word."""
        self._unheld.append(engine)
        if not self._closed:
            self._rouse()

    def _let_go(self, engine: int) -> None:
        self._wanted.pop(engine, None)
        for process in self._processes:
            with contextlib.suppress(ProcessLost):  # it has let go of everything
                process.drop(Drop(engine))

    def _rouse(self) -> None:
        os.write(self._wake, b".")
