"""Starts a local Triton again when it ends unasked; in a cluster the cluster does that."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.errors import BackendUnavailable
from serving.triton.launcher import LocalTriton

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0


@contextmanager
def kept_running(triton: LocalTriton) -> Iterator[LocalTriton]:
    """Restart the server at the same addresses, as often as it takes, until the block ends.

    It comes back without models; the search server's supervisor loads the one it needs.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(triton, ended), name="triton watchdog", daemon=True)
    thread.start()
    try:
        yield triton
    finally:
        ended.set()
        thread.join()


def _watch(triton: LocalTriton, ended: threading.Event) -> None:
    pause = FIRST_PAUSE_SECONDS
    while not ended.wait(pause):
        try:
            triton.check_alive()
            pause = FIRST_PAUSE_SECONDS
        except BackendUnavailable as error:
            log.error("%s; starting it again", error)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            _restart(triton)


def _restart(triton: LocalTriton) -> None:
    try:
        triton.restart()
    except BackendUnavailable as error:
        log.error("local Triton could not be started again: %s", error)
