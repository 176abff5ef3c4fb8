"""The search server: KServe's v1 and v2 REST and gRPC around the live release."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable

import uvloop
from fastapi import FastAPI
from kserve import ModelServer

from serving.access.control import AccessControl
from serving.dataplane import SearchDataPlane
from serving.feedback_log import feedback_log
from serving.fetching.fetcher import Fetcher
from serving.grpc_server import grpc_server
from serving.grpc_watched import WatchedCalls
from serving.live import LiveEngine
from serving.logs import unify_logs
from serving.metrics import SearchMetrics
from serving.model import SearchModel
from serving.overload_metrics import OverloadMetrics
from serving.photos.shop_photos import ShopPhotos
from serving.processes.pool import SearchProcesses
from serving.query_log import QueryLog
from serving.rest_server import QuietUvicorn, listen, rest_application, rest_server
from serving.settings import ServingSettings
from serving.traces import Tracing
from serving.trial import Trials
from serving.trial_metrics import TrialMetrics
from serving.triton.metrics import TritonMetrics
from serving.triton.supervisor import Supervisor
from serving.watch_metrics import WatchMetrics

logger = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM)


class SearchServer(ModelServer):
    """A KServe ModelServer that listens where it is told, is ready when it is, and ends without losing a request."""

    def __init__(
        self,
        settings: ServingSettings,
        live: LiveEngine,
        query_log: QueryLog | None,
        supervisor: Supervisor | None = None,
        tracing: Tracing | None = None,
        processes: SearchProcesses | None = None,
        trials: Trials | None = None,
    ) -> None:
        """`processes` are those in which engines search, if not in this one; `trials` lets other releases be tried."""
        super().__init__(
            http_port=settings.http_port,
            grpc_port=settings.grpc_port,
            enable_latency_logging=False,
            grace_period=settings.grace_seconds,
        )
        unify_logs()
        self.settings = settings
        self.live = live
        self.query_log = query_log
        self.feedback = feedback_log(settings.feedback, settings.feedback_log)
        self.dataplane = SearchDataPlane(self.registered_models)
        self.supervisor = supervisor
        self.tracing = tracing
        self.processes = processes
        self.trials = trials
        self.metrics = SearchMetrics(live)
        supervision = supervisor or processes
        if supervision is not None and settings.triton_url is not None:
            self.metrics.register(TritonMetrics(supervision.supervision))
        if trials is not None:
            self.metrics.register(TrialMetrics(trials))
        if settings.watched is not None:
            self.metrics.register(WatchMetrics(settings.watched))
        self.access = AccessControl(settings.access)
        self.metrics.register(self.access.counted)
        self.fetch = Fetcher(settings.fetching) if settings.fetching.enabled else None
        self.photos = ShopPhotos(settings.photos, live, settings.limits.image)
        self.model = SearchModel(settings, live, query_log, self.metrics, self.photos.photo_url, self.fetch, trials)
        self.metrics.register(OverloadMetrics(self.model))
        self.register_model(self.model)
        self._uvicorn: QuietUvicorn | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, started: Callable[["SearchServer"], None] | None = None) -> None:
        """Serve until SIGTERM, SIGINT or `finish`; `started` is called once both ports answer.

        Requests under way are finished and the query log is written before it returns. Raises ConfigError
        for a port that is taken.
        """
        try:
            uvloop.run(self._run(started))
        finally:
            self.live.close()
            if self.supervisor is not None:
                self.supervisor.close()
            self.model.stop()
            if self.trials is not None:
                self.trials.close()
            self.photos.stop()
            if self.processes is not None:
                self.processes.close()
            if self.fetch is not None:
                self.fetch.close()
            for log in (self.query_log, self.feedback):
                if log is not None:
                    log.close()
            if self.tracing is not None:
                self.tracing.close()

    def application(self) -> FastAPI:
        """The REST side as it is served."""
        parts = (self.dataplane, self.model, self.photos, self.metrics, self.tracing, self.access, self.feedback)
        return rest_application(*parts, self.settings.request_bytes)

    def finish(self) -> None:
        """Stop serving, from any thread."""
        if self._loop is not None and self._uvicorn is not None:
            self._loop.call_soon_threadsafe(setattr, self._uvicorn, "should_exit", True)

    async def _run(self, started: Callable[["SearchServer"], None] | None) -> None:
        settings = self.settings
        self.access.warn_if_wide(settings.host)
        self._uvicorn = rest_server(self.application(), self.model, self.metrics, settings)
        self._loop = asyncio.get_running_loop()
        with listen(settings.host, settings.http_port) as http:
            self.http_port = http.getsockname()[1]
            watched = WatchedCalls(self.metrics, self.tracing)
            remote, self.grpc_port = grpc_server(
                self.dataplane,
                self.model.queue,
                watched,
                self.access,
                settings.host,
                settings.grpc_port,
                settings.request_bytes,
            )
            self._end_on_signals()
            self.live.start()
            if self.trials is not None:
                self.trials.start()
            if self.supervisor is not None:
                self.supervisor.start()
            await remote.start()
            try:
                await asyncio.gather(self._uvicorn.serve(sockets=[http]), self._announce(started))
            finally:
                await remote.stop(settings.grace_seconds)

    async def _announce(self, started: Callable[["SearchServer"], None] | None) -> None:
        while self._uvicorn is not None and not self._uvicorn.started:
            await asyncio.sleep(0.01)
        host = self.settings.host
        logger.info("REST on http://%s:%d, gRPC on %s:%d", host, self.http_port, host, self.grpc_port)
        if started is not None:
            started(self)

    def _end_on_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                asyncio.get_running_loop().add_signal_handler(number, self.finish)
