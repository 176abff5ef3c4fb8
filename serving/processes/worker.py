"""A search process: engines of the releases in service, asked over one pipe, one call at a time.

Engines are loaded and let go over a second pipe and in a thread of its own, so that searches go on meanwhile.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from multiprocessing.connection import Connection

from lookalike.deadline import Deadline
from lookalike.errors import LookalikeError
from serving.live import Engine, MakeAnyEngine
from serving.logs import configure_logs
from serving.processes.calls import Answer, Load, Order, SearchCall, Told, received
from serving.settings import ServingSettings
from serving.traces import Tracing, tracing_of
from serving.triton.supervision import Supervision

logger = logging.getLogger(__name__)


def search_process(settings: ServingSettings, calls: Connection, orders: Connection) -> None:
    """Answer until the server closes its end of `calls`, as its death does too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the server ends its own in order
    sys.argv = sys.argv[:1]  # KServe, which a model in Triton needs, parses the command line when it is imported
    from serving.engines import engine_maker, supervisor_of

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    configure_logs(settings.log_format)
    supervisor, tracing = supervisor_of(settings), tracing_of(settings.traces)
    maker = cache(
        partial(engine_maker, settings, supervisor, tracing)
    )  # made with the first release: its errors are told
    if supervisor is not None:
        supervisor.start()
    supervision = Supervision if supervisor is None else supervisor.supervision
    Worker(lambda release, tried=False: maker()(release, tried), tracing, supervision).work(calls, orders)
    if tracing is not None:
        tracing.close()


class Worker:
    """Its engines by number; `answer` and `follow` run in two threads."""

    def __init__(
        self,
        make_engine: MakeAnyEngine,
        tracing: Tracing | None = None,
        supervision: Callable[[], Supervision] = Supervision,
    ) -> None:
        self._make_engine = make_engine
        self._tracing = tracing
        self._supervision = supervision
        self._engines: dict[int, Engine] = {}

    def work(self, calls: Connection, orders: Connection) -> None:
        """Answer and follow until nobody is at the other ends."""
        threading.Thread(target=self.follow, args=(orders,), name="engines", daemon=True).start()
        self.answer(calls)

    def answer(self, calls: Connection) -> None:
        """Answer every call until nobody is at the other end."""
        while (call := received(calls)) is not None:
            calls.send(self._told(call))

    def follow(self, orders: Connection) -> None:
        """Follow every order until nobody gives any."""
        while (order := received(orders)) is not None:
            try:
                orders.send(self._follow(order))
            except LookalikeError as error:
                orders.send(error)
            except Exception as error:
                logger.exception("a release could not be loaded")
                orders.send(RuntimeError(f"{type(error).__name__} in a search process: {error}"))

    def _follow(self, order: Order) -> str | None:
        if isinstance(order, Load):
            self._engines[order.engine] = self._make_engine(order.release, order.tried)
            return self._engines[order.engine].provider
        self._engines.pop(order.engine, None)
        return None

    def _told(self, call: SearchCall) -> Told:
        try:
            engine = self._engines[call.engine]
            try:
                return Told(self._answered(engine, call), None, engine.degraded(), self._supervision())
            except LookalikeError as error:
                return Told(None, error, engine.degraded(), self._supervision())
        except Exception as error:  # an error of others may not survive the way to the server
            logger.exception("a search failed")
            told = RuntimeError(f"{type(error).__name__} in a search process: {error}")
            return Told(None, told, supervision=self._supervision())

    def _answered(self, engine: Engine, call: SearchCall) -> Answer:
        deadline = Deadline.never() if call.endless else Deadline.after(call.seconds)
        with self._traced(call), deadline.in_force():
            answer: Answer = getattr(engine, call.verb)(call.asked)
            return answer

    def _traced(self, call: SearchCall) -> AbstractContextManager[object]:
        return nullcontext() if self._tracing is None else self._tracing.continued(call.trace)
