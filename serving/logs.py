"""Logs as lines for people, or as JSON objects for a log store; one line a request, never a photo or a key."""

import logging
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["text", "json"]
ACCESS = "serving.access"
"""Logger of the line that every request leaves."""
FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"
NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}


FOREIGN = ("kserve", "uvicorn", "uvicorn.error")
"""KServe gives these handlers and a format of their own when a server is made."""


def unify_logs() -> None:
    """Let the servers' own lines go where all others go, but for uvicorn's access lines: they hold whole URLs."""
    for name in FOREIGN:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").addFilter(_nothing)  # a filter outlives whoever configures logging again


def _nothing(record: logging.LogRecord) -> bool:
    return False


def configure_logs(form: LogFormat) -> None:
    """Let the root logger's handlers write so, from INFO on; the caller has set the handlers up."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if form == "json":
        for handler in root.handlers:
            handler.setFormatter(JsonFormatter(FIELDS, rename_fields=NAMES))
