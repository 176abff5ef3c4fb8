"""What a server and its search processes say to each other.

Both ends are ours, over a pipe that nobody else holds: this is the one place where Python's own serialisation is used,
and nothing of it is ever stored.
"""

import math
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

from lookalike.release.manifest import Release
from lookalike.search.answer import SearchAnswer
from lookalike.search.product import ProductAnswer
from lookalike.search.query import SearchRequest
from serving.triton.supervision import Supervision

Verb = Literal["search", "product", "holds"]
Answer = SearchAnswer | ProductAnswer | bool


@dataclass(frozen=True)
class SearchCall:
    """One question to the engine of that number."""

    engine: int
    verb: Verb
    asked: SearchRequest | str
    """A request, or the id of a product or photo."""
    seconds: float
    """Until nobody waits any more; infinite where somebody always does."""
    trace: dict[str, str]
    """The trace it belongs to, as W3C headers; empty where none is kept."""

    @property
    def endless(self) -> bool:
        return math.isinf(self.seconds)


@dataclass(frozen=True)
class Told:
    """What became of a call."""

    answer: Answer | None
    error: Exception | None
    degraded: tuple[str, ...] = ()
    """Parts of that process' engine that failed lately."""
    supervision: Supervision = field(default_factory=Supervision)
    """What that process knows of the model in Triton."""


@dataclass(frozen=True)
class Load:
    """Make an engine of the release and keep it under that number; answered by its provider, or the error."""

    engine: int
    release: Release
    tried: bool
    """Whether it is on trial beside the live one."""


@dataclass(frozen=True)
class Drop:
    """Let that engine go; answered by None."""

    engine: int


Order = Load | Drop


def received(connection: Connection) -> Any:
    """The next message; None once nobody is at the other end."""
    try:
        return connection.recv()
    except (EOFError, ConnectionResetError):
        return None
