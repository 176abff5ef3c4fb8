"""A body that nobody has looked at yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kserve import InferRequest


@dataclass(frozen=True)
class Unread:
    """Megabytes of JSON and base64 would hold up the event loop; they are read in a thread, at the request's turn."""

    read: Callable[[], dict[str, Any] | InferRequest]
    """Reads it. Raises QueryError and InvalidInput."""
