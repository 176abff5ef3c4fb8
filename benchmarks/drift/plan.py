"""What was asked for, and what a measuring step hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.drift.places import Places
from benchmarks.drift.settings import Study
from benchmarks.drift.traffic import Traffic, read_traffic
from benchmarks.results import RESULTS, Figure

COMMAND = "make bench-drift"
DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class Destination:
    """Where results go: into the repository, or for a trial into the workspace."""

    results: Path = RESULTS
    docs: Path = DOCS


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    places: Places
    study: Study
    destination: Destination = field(default_factory=Destination)

    def traffic(self) -> Traffic:
        """The observed photos. Raises ArtifactError where they were not observed yet."""
        return read_traffic(self.places.observed)


@dataclass(frozen=True)
class Measured:
    """What one step found."""

    figures: Mapping[str, Figure]
    """By the key they are recorded under."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON: the numbers behind them, which tables and plots are made of."""
