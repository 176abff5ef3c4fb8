"""The entry point: `serve` runs a search server in this process until it is told to end."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.logs import configure_logs
from serving.settings import ServingSettings

SWITCH_SECONDS = 0.0005
"""How long a thread may keep Python to itself while another waits. With Python's own 5 ms, which pass whenever a photo,
a model or an index comes back from its native code, the slowest hundredth of answers took twice as long (96 ms, not
51)."""

Started = Callable[[str, str], None]
"""Called once both ports answer, with the REST and the gRPC address."""


def serve(settings: ServingSettings, started: Started | None = None) -> None:
    """Serve the live release until SIGTERM or SIGINT; requests under way are finished, the query log is written.

    Raises ReleaseError without a release, ConfigError for a taken port, BackendUnavailable for a silent part.
    """
    with _no_arguments():
        from serving.assemble import assemble
    configure_logs(settings.log_format)
    warnings.filterwarnings(
        "ignore", module=r"PIL\."
    )  # a line for each odd tag of a stranger's photo, thousands of them
    sys.setswitchinterval(SWITCH_SECONDS)
    server = assemble(settings)
    server.run(
        lambda up: (
            started(f"http://{settings.host}:{up.http_port}", f"{settings.host}:{up.grpc_port}")
            if started is not None
            else None
        )
    )


def write_openapi(path: Path) -> bool:
    """Write what a server with default settings answers under /openapi.json; whether the file changed."""
    with _no_arguments():
        from serving.openapi.document import write_document
        from serving.openapi.whole import default_document
    return write_document(default_document(), path)


@contextmanager
def _no_arguments() -> Iterator[None]:
    """KServe parses the command line when it is imported, and ends the process over options it half recognises."""
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        yield
    finally:
        sys.argv = arguments
