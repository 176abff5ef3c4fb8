"""The watch's figures on the server's own page: whoever scrapes the service need not find the watch."""

import logging
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

LARGEST = 1_000_000
"""Bytes of a file of figures; the watch writes some thousands."""


class WatchMetrics(Collector):
    """What the newest watch wrote; nothing before the first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would read the file once to know its names."""
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            if self._path.stat().st_size > LARGEST:
                raise ValueError(f"larger than {LARGEST} bytes")
            yield from list(text_string_to_metric_families(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # a page without these figures is better than none
            logger.warning("%s is not served: %s", self._path, error)
