"""What became of every loop, and the figures it comes to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks.results import Figure
from lookalike.config import StrictConfig

COMMAND = "python -m benchmarks.drift.loop"
GOAL_MINUTES = 5.0


class LoopSettings(StrictConfig):
    """How the loop is measured."""

    products: int = Field(default=600, ge=200)
    """Products of the drawn shop."""
    epochs: int = Field(default=0, ge=0)
    """Epochs of the first training instead of the recipe's; 0 keeps them. The retrain has a quarter of them."""
    repeats: int = Field(default=3, ge=1)
    """Shops, each drawn, trained and shifted by its own seed."""
    window: int = Field(default=150, ge=60)
    """Photos in a window of the watch; as many are kept as the release's early traffic."""
    every_seconds: float = Field(default=20.0, ge=0)
    """A watch begins so long after the one before began, or when that one has ended."""
    most_watches: int = Field(default=6, ge=2)
    """Watches after the shift that may pass until the loop counts as not closed."""
    settle_seconds: float = Field(default=5.0, ge=0)
    """How long the clients go on after the first answer by the retrained release."""
    shipped_gate: bool = True
    """Whether the gate is the shipped one; models of few products and epochs differ too much by chance for it."""


QUICK = LoopSettings(products=320, epochs=4, repeats=1, shipped_gate=False)
"""Does every part still work?"""


@dataclass(frozen=True)
class Loop:
    """What became of one shift."""

    seed: int
    minutes: float | None
    """From the first shifted query to the first answer by the retrained release; None where none was promoted."""
    minutes_of_retrain: float | None
    """The part of it from the start of the watch that decided."""
    watches: int
    """Watches from the shift on."""
    queries: int
    """Before the shift, too."""
    faults: dict[str, int]
    """What was wrong with answers, and how often."""
    slowest_seconds: float
    """The slowest answer."""
    clicks: int
    """Clicks that the service took in."""
    learned: dict[str, Any]
    """Of the retraining: clicks collected, triplets made of them, and the gate's reasons."""


def figures_of(loops: Sequence[Loop], settings: LoopSettings) -> dict[str, Figure]:
    """Minutes of the loops that closed, and everything that failed in any."""
    closed = [loop for loop in loops if loop.minutes is not None]
    minutes = [loop.minutes for loop in closed if loop.minutes is not None]
    failed, queries = sum(sum(loop.faults.values()) for loop in loops), sum(loop.queries for loop in loops)
    slow = len(closed) < len(loops) or not minutes or max(minutes) >= GOAL_MINUTES
    return {
        "loop_minutes": Figure(
            value=float(np.mean(minutes)) if minutes else None,
            unit="minutes",
            how=_told_minutes(loops, closed, settings),
            command=COMMAND,
            goal=f"< {GOAL_MINUTES:g}",
            met=not slow,
            interval=(min(minutes), max(minutes)) if minutes else None,
            n=len(loops),
        ),
        "loop_failed_queries": Figure(
            value=failed,
            unit="queries",
            how=_told_faults(loops, queries),
            command=COMMAND,
            goal="0",
            met=failed == 0,
            n=queries,
        ),
    }


def _told_minutes(loops: Sequence[Loop], closed: Sequence[Loop], settings: LoopSettings) -> str:
    parts = "; ".join(
        f"seed {loop.seed}: {loop.minutes:.2f} of which {loop.minutes_of_retrain:.2f} from the start of the deciding "
        f"watch, {loop.watches} watches, {loop.learned['clicked']} clicks collected, "
        f"{loop.learned['click_triplets']} triplets of them"
        for loop in closed
        if loop.minutes is not None and loop.minutes_of_retrain is not None
    )
    why = "; ".join(
        f"seed {loop.seed}: {loop.learned['reasons'][0] if loop.learned['reasons'] else 'no run was started'}"
        for loop in loops
        if loop.minutes is None
    )
    missed = f"; {len(loops) - len(closed)} of {len(loops)} loops did not close ({why})" if why else ""
    return (
        f"mean over {len(closed)} drawn shops of {settings.products} products (interval: smallest to largest), from "
        f"the first photo of another camera to the first answer by the retrained release, unattended: windows of "
        f"{settings.window} photos, 2 of 3 must drift, `lookalike watch` {settings.every_seconds:g} s after the one "
        f"before or when that ends; a retrain of a quarter of the recipe's epochs from the live release, all on the "
        f"machine that serves two clients without pause. {parts}{missed}"
    )


def _told_faults(loops: Sequence[Loop], queries: int) -> str:
    faults = Counter[str]()
    for loop in loops:
        faults.update(loop.faults)
    told = "; ".join(f"{count} x {fault}" for fault, count in faults.most_common(5))
    slowest = max(loop.slowest_seconds for loop in loops)
    return (
        f"answers other than 200, time-outs of 30 s, releases that came back after their successor, answers that "
        f"differ within one release, and feedback not taken in, among the {queries} queries from ordinary traffic "
        f"to 5 s after the first answer by the retrained release, in {len(loops)} loops; the slowest took "
        f"{slowest:.1f} s" + (f". They were: {told}" if told else "")
    )
