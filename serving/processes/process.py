"""One search process as its server sees it."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from lookalike.errors import LookalikeError
from serving.processes.calls import Drop, Load, Order, SearchCall, Told
from serving.triton.supervision import Supervision

Work = Callable[[Connection, Connection], None]
"""What the process does with its two pipes, for calls and for orders; a function that can be found by its name."""

HUNG_SECONDS = 5.0
"""So long after its deadline a search that says nothing is taken to hang."""
LOAD_SECONDS = 600.0
"""Longest time to load a release."""
STOP_SECONDS = 10.0


class ProcessLost(LookalikeError):
    """The process has ended or hangs; `begun` where it took the call with it."""

    def __init__(self, message: str, begun: bool = True) -> None:
        super().__init__(message)
        self.begun = begun


class SearchProcess:
    """Started when made. Calls come from one thread at a time, orders from any; the two do not wait for each other."""

    def __init__(self, work: Work) -> None:
        context = get_context("spawn")  # a fork of a server with threads could stop at any lock one of them held
        self.degraded: tuple[str, ...] = ()
        """Parts of its engine that failed lately, as it told with its last answer."""
        self.supervision = Supervision()
        """What it knows of the model in Triton, as it told with its last answer."""
        self._calls, its_calls = context.Pipe()
        self._orders, its_orders = context.Pipe()
        self._ordering = Lock()
        self._process = context.Process(target=work, args=(its_calls, its_orders), daemon=True)
        self._process.start()
        its_calls.close()
        its_orders.close()

    @property
    def sentinel(self) -> int:
        """Ready to read once the process has ended."""
        return self._process.sentinel

    @property
    def pid(self) -> int:
        return self._process.pid or 0  # it has one since it was started

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def ask(self, call: SearchCall) -> Told:
        """What it tells. Raises ProcessLost."""
        try:
            self._calls.send(call)
        except OSError as error:
            raise ProcessLost(f"search process {self.pid} has ended", begun=False) from error
        told: Told = self._heard(self._calls, None if call.endless else call.seconds + HUNG_SECONDS)
        self.degraded, self.supervision = told.degraded, told.supervision
        return told

    def load(self, order: Load) -> str | None:
        """The provider that computes the release's model there. Raises what kept it from loading, and ProcessLost."""
        answer = self._order(order)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def drop(self, order: Drop) -> None:
        """Raises ProcessLost."""
        self._order(order)

    def end(self) -> None:
        """Let it finish its call; one that does not end is killed."""
        self._calls.close()
        self._orders.close()
        self._process.join(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def _order(self, order: Order) -> Exception | str | None:
        with self._ordering:
            try:
                self._orders.send(order)
            except OSError as error:
                raise ProcessLost(f"search process {self.pid} has ended", begun=False) from error
            answer: Exception | str | None = self._heard(self._orders, LOAD_SECONDS)
            return answer

    def _heard(self, connection: Connection, seconds: float | None) -> Any:
        try:
            if connection.poll(seconds):
                return connection.recv()
        except (EOFError, OSError) as error:
            raise ProcessLost(f"search process {self.pid} ended over this search") from error
        self._process.kill()
        raise ProcessLost(f"search process {self.pid} hung for {seconds:.3g} s and was ended")
