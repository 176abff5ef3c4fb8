"""A served model in memory whose health a test decides, and the reload that heals it."""

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.errors import LookalikeError
from serving.triton.reload import Prove


class ServedTwin:
    """Answers while `failure` is None, else raises it; golden photos may fail alone."""

    def __init__(self) -> None:
        self.failure: LookalikeError | None = None
        self.golden_failure: LookalikeError | None = None
        self.proofs = 0
        self.while_proving: Callable[[], None] = lambda: None
        self.lose_connection: Callable[[], None] = lambda: None
        self._inside = MemoryEmbedder()

    @property
    def identity(self) -> ModelIdentity:
        return self._inside.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        if self.failure is not None:
            raise self.failure
        return self._inside.embed(pixels)

    def prove(self) -> None:
        self.proofs += 1
        self.while_proving()
        if self.failure or self.golden_failure:
            raise self.failure or self.golden_failure

    def on_connection_lost(self, tell: Callable[[], None]) -> None:
        self.lose_connection = tell

    def close(self) -> None:
        pass


class ReloadTwin:
    """Heals a twin, unless told that it cannot; counts."""

    def __init__(self, served: ServedTwin, helps: bool = True) -> None:
        self.served = served
        self.helps = helps
        self.raises: LookalikeError | None = None
        self.times = 0
        self.done = threading.Event()

    def __call__(self, model: str, prove: Prove) -> bool:
        if self.raises is not None:
            raise self.raises
        self.times += 1
        if self.helps:
            self.served.failure = self.served.golden_failure = None
        prove()
        self.done.set()
        return True
