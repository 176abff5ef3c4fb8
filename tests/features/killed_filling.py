"""Fillings in a process of their own, to be killed; forked from a server without threads that has imported Feast."""

import multiprocessing
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

from lookalike.features import visible as stage
from lookalike.features.feast_import import import_feast
from lookalike.features.materialise import materialise
from lookalike.features.settings import FeatureSettings
from lookalike.storage import StageRecord
from tests.features.shop import DEFINITIONS, TUESDAY
from tests.features.two_releases import NEW

import_feast()  # once in the server, so that every child starts at once

multiprocessing.set_forkserver_preload([__name__])
PROCESSES = multiprocessing.get_context("forkserver")


def fill(root: Path, settings: FeatureSettings, now: datetime = TUESDAY) -> StageRecord:
    """Tuesday's release."""
    return materialise(root / "tuesday", root / "new", root / "store", NEW, now, DEFINITIONS, settings)


def fill_and_die(root: Path, settings: FeatureSettings, name: str, call: int, after: bool) -> None:
    """The process kills itself before or after the n-th call of a function of the stage."""
    called, real = [], getattr(stage, name)

    def watched(*args: Any, **more: Any) -> Any:
        called.append(name)
        last = len(called) == call
        if last and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*args, **more)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(stage, name, watched)
    fill(root, settings)
