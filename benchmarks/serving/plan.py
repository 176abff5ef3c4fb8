"""What was asked for, and what a measuring step hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.results import RESULTS, Figure
from benchmarks.serving.places import Places
from benchmarks.serving.settings import Study

COMMAND = "make bench-serving"
DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class Destination:
    """Where results go: into the repository, or for a trial into the workspace."""

    results: Path = RESULTS
    docs: Path = DOCS


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    catalogue: str
    encoders: Path
    places: Places
    study: Study
    models: tuple[Path, ...] = ()
    """Exports of trained models, served as releases that follow one another; untrained ones where there are none."""
    destination: Destination = field(default_factory=Destination)
    again: bool = False
    """Measure again what was measured before."""
    quick: bool = False


@dataclass(frozen=True)
class Measured:
    """What one step found."""

    figures: Mapping[str, Figure]
    """By the key they are recorded under."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON: the numbers behind them, which tables are made of."""


class Skipped(Exception):
    """A step cannot be measured here; the sentence says what is missing."""


class Measure(Protocol):
    """A measuring step; it may use `plan.places.scratch(<step>)`, and raises Skipped."""

    def __call__(self, plan: Plan) -> Measured: ...
