"""What Feast says and raises while it works, kept within bounds."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from lookalike.errors import BackendUnavailable

log = logging.getLogger(__name__)


@contextlib.contextmanager
def feast_at_work(task: str) -> Iterator[None]:
    """Keep what Feast prints for the log, ignore what its parts warn of, and give its failures one name."""
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)  # ibis, DuckDB
            yield
    except Exception as error:  # Feast, DuckDB and every online store have their own exceptions
        raise BackendUnavailable(f"Feast failed while {task}: {error}") from error
    finally:
        log.debug("%s", said.getvalue())
