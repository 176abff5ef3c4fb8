"""The gate before a model in Triton: photos pass while nothing has gone wrong since its last golden answer."""

import threading
from collections.abc import Callable
from typing import Protocol
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray

from lookalike.deadline import Deadline
from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.errors import BackendUnavailable, DeadlineExceeded, LookalikeError, QueryError

FAIR_SECONDS = 0.5
"""An answer is late of its own only after this long; callers in more of a hurry say nothing about the model."""


class ServedModel(Embedder, Protocol):
    """A model in a server of its own; TritonEmbedder is one."""

    def prove(self) -> None:
        """Raises what is wrong with the model or the way to it."""
        ...

    def on_connection_lost(self, tell: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class AdmittedEmbedder:
    """Embeds by `served` while it is proven, and refuses at once while it is not.

    A failure or an answer that cannot be right closes the gate, and so does a lost connection: another server may be
    behind the next one. A late answer only wakes the supervisor, since busy servers are late too, and only where its
    caller had time to wait for it. `prove` alone opens.
    """

    def __init__(self, served: ServedModel, name: str) -> None:
        self.name = name
        """Of the model in Triton's repository."""
        self.on_suspicion: Callable[[], None] = lambda: None
        """Called from any thread when somebody should look; whoever watches sets it."""
        self.on_readmission: Callable[[], None] = lambda: None
        """Called from any thread once photos are admitted again after they were refused; whoever asks sets it."""
        self.answers = 0
        """So far; a figure that grows, not one to bill by."""
        self._served = served
        self._lock = threading.Lock()
        self._losses = 0
        self._refusal: str | None = None
        lost = WeakMethod(self._connection_lost)  # gRPC's thread must not keep alive what a newer release replaced
        served.on_connection_lost(lambda: _call(lost()))

    @property
    def identity(self) -> ModelIdentity:
        return self._served.identity

    @property
    def refusal(self) -> str | None:
        """Why photos are refused now; None while they are admitted."""
        return self._refusal

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        if self._refusal is not None:
            raise BackendUnavailable(f"{self.name} is not answering photos now: {self._refusal}")
        given = Deadline.current().remaining()
        try:
            answer = self._served.embed(pixels)
        except QueryError:
            raise
        except DeadlineExceeded:
            if given >= FAIR_SECONDS:
                self.on_suspicion()
            raise
        except BackendUnavailable as error:
            self._doubt(error)
            raise
        except LookalikeError as error:
            self._doubt(error)
            raise BackendUnavailable(f"an answer of {self.name} was thrown away: {error}") from error
        self.answers += 1
        return answer

    def refuse(self, reason: str) -> None:
        """Close the gate until the model is proven again."""
        with self._lock:
            self._refusal = reason

    def prove(self) -> None:
        """Check the golden photos; open the gate if they are answered. Raises what is wrong."""
        losses = self._losses
        self._served.prove()
        with self._lock:
            if losses != self._losses or self._refusal is None:  # lost: another server may have answered
                return
            self._refusal = None
        self.on_readmission()

    def close(self) -> None:
        """End the connection; what is under way fails."""
        self._served.close()

    def _doubt(self, error: LookalikeError) -> None:
        self.refuse(str(error))
        self.on_suspicion()

    def _connection_lost(self) -> None:
        with self._lock:
            self._losses += 1
            self._refusal = "the connection to Triton was lost"
        self.on_suspicion()


def _call(tell: Callable[[], None] | None) -> None:
    if tell is not None:
        tell()
