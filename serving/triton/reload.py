"""Make a model in Triton answer; unload and load is the one cure for a dead worker. One process at a time."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from lookalike.errors import BackendUnavailable, LookalikeError
from lookalike.storage import digest_json
from serving.triton.repository_api import LOADING, READY, UNLOADING, RepositoryApi

Prove = Callable[[], None]
"""Raises LookalikeError while the model does not answer as it should."""

Verify = Callable[[str], object]
"""Proves a model's files by its name before Triton reads them; raises LookalikeError."""


class NotNow(BackendUnavailable):
    """Nothing was tried: Triton is not there, or somebody else is at it."""


class Reload(Protocol):
    """Makes a model of this name answer; False where somebody else had done so already."""

    def __call__(self, model: str, prove: Prove) -> bool: ...


class RepositoryReload:
    """Loads, or unloads and loads, through Triton's repository API.

    Search servers of one machine take turns and look again when it is theirs, so one dead worker costs one
    reload. A server on another machine is noticed by what it has under way, and waited for.
    """

    def __init__(self, api: RepositoryApi, patience_seconds: float = 60.0, verify: Verify | None = None) -> None:
        """`verify` comes before every load, also of a model that is only being healed."""
        self._verify = verify
        self._api = api
        self._patience = patience_seconds
        name = f"lookalike-triton-{digest_json(api.address)[:16]}.lock"
        self._lock = FileLock(Path(tempfile.gettempdir()) / name, timeout=patience_seconds)

    def __call__(self, model: str, prove: Prove) -> bool:
        """Raises NotNow, ReleaseError for a model that Triton refuses, and what `prove` raises after the reload."""
        self._state(model)  # where nobody is there, do not even queue
        try:
            with self._lock:
                return self._in_turn(model, prove)
        except Timeout as error:
            raise NotNow(f"another process has been reloading {model} for {self._patience:g} s") from error

    def _in_turn(self, model: str, prove: Prove) -> bool:
        state = self._settled(model)
        if _answers(prove):
            return False
        if self._verify is not None:
            self._verify(model)
        if state == READY:
            self._api.unload(model)
        self._api.load(model)
        prove()
        return True

    def _settled(self, model: str) -> str:
        deadline = time.monotonic() + self._patience
        while (state := self._state(model)) in (LOADING, UNLOADING):
            if time.monotonic() > deadline:
                raise NotNow(f"{model} has been {state.lower()} for {self._patience:g} s")
            time.sleep(0.05)
        return state

    def _state(self, model: str) -> str:
        try:
            return self._api.models().get(model, "")
        except BackendUnavailable as error:
            raise NotNow(str(error)) from error


def _answers(prove: Prove) -> bool:
    try:
        prove()
    except LookalikeError:
        return False
    return True
