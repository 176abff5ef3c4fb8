"""Triton for `lookalike serve`: the local one where it can run, onnxruntime in process elsewhere."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import BackendUnavailable
from lookalike.workspace import Workspace
from serving.triton.environment import open_environment
from serving.triton.launcher import LocalTriton
from serving.triton.watchdog import kept_running

log = logging.getLogger(__name__)


@contextmanager
def local_triton(shop: Workspace, environment: Path) -> Iterator[dict[str, str]]:
    """Yield the addresses of a local Triton that is kept running, or none with a sentence that says why."""
    try:
        opened = open_environment(environment)
    except BackendUnavailable as error:
        log.warning("No local Triton, embedding with onnxruntime in this process: %s", error)
        yield {}
        return
    with LocalTriton(opened, shop.model_repository, shop.logs / "triton.log") as triton, kept_running(triton):
        yield {"triton_url": triton.grpc_address, "triton_http": triton.http_address}
