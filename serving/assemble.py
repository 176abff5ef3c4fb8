"""From settings to a search server: where its engines are, and what stands around them."""

from functools import partial

from lookalike.errors import ConfigError, ReleaseError
from serving.engines import engine_maker, supervisor_of
from serving.live import LiveEngine
from serving.processes.pool import SearchProcesses
from serving.processes.worker import search_process
from serving.query_log import QueryLog
from serving.server import SearchServer
from serving.settings import ServingSettings
from serving.traces import carried, tracing_of
from serving.trial import Trials, TriedEngine


def assemble(settings: ServingSettings) -> SearchServer:
    """A server with the live release loaded.

    Raises ReleaseError where there is none, unless `wait_for_release`, and whatever its parts raise.
    """
    tracing = tracing_of(settings.traces)
    processes = _processes(settings, traced=tracing is not None) if settings.processes else None
    supervisor = supervisor_of(settings) if processes is None else None
    make = engine_maker(settings, supervisor, tracing) if processes is None else processes.engine
    watching = (settings.poll_seconds, settings.retry_seconds)
    live = LiveEngine(settings.releases, make, *watching)
    try:
        if settings.wait_for_release:
            live.look()
        elif not live.load():
            raise ReleaseError(f"no release is in service under {settings.releases}; run `lookalike release` first")
        log = QueryLog(settings.query_log, settings.log) if settings.query_log is not None else None
        trials = Trials(TriedEngine(settings.releases, partial(make, tried=True), *watching), settings.trials)
        trials.tried.look()
        return SearchServer(settings, live, log, supervisor, tracing, processes, trials)
    except BaseException:
        if processes is not None:
            processes.close()
        raise


def _processes(settings: ServingSettings, traced: bool) -> SearchProcesses:
    if settings.processes > 1 and settings.milvus_uri.endswith(".db"):
        raise ConfigError(
            f"processes is {settings.processes}, but only one may open the Milvus Lite file {settings.milvus_uri}; "
            "faiss:///folder and a Milvus server serve several"
        )
    return SearchProcesses(partial(search_process, settings), settings.processes, carried if traced else dict)
