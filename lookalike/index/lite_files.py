"""What has to be looked after in the files of Milvus Lite, by whoever opens them first."""

import fcntl
import shutil
from pathlib import Path

from lookalike.errors import BackendUnavailable

SCHEMA = "schema.json"
"""What Lite writes first into a new collection's folder; it knows no collection without."""
DROPPED = "_dropped"
"""Ends the name of a collection that was dropped, while its files are still being cleared away."""


def make_ready(path: Path) -> None:
    """Clear away collections whose making or dropping was killed.

    Those whose making was killed Lite 3.2 does not list, and it refuses their names for ever.

    Raises BackendUnavailable where another process has the files open.
    """
    _refuse_locked(path)
    for folder in path.glob("collections/*"):
        if folder.is_dir() and (folder.name.endswith(DROPPED) or not (folder / SCHEMA).is_file()):
            shutil.rmtree(folder)


def _refuse_locked(path: Path) -> None:
    """Lite itself would only log a stack trace and say "Open local milvus failed"."""
    if not (path / "LOCK").exists():
        return
    with (path / "LOCK").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackendUnavailable(
                f"{path} is open in another process; Milvus Lite serves one process at a time: "
                "stop the other one, or use a Milvus server (http://host:19530)"
            ) from error
