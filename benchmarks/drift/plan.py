"""What was asked for, what a step needs of the workspace, and what it hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.drift.observe import observe_photos
from benchmarks.drift.places import Places
from benchmarks.drift.settings import Study
from benchmarks.drift.traffic import TOLD, Traffic, lacking, read_traffic
from benchmarks.results import RESULTS, Figure
from lookalike.errors import LookalikeError
from lookalike.training.checkpoint import RECORD
from lookalike.workspace import Workspace

COMMAND = "make bench-drift"
DOCS = Path(__file__).parents[2] / "docs"


class MissingInput(LookalikeError):
    """A step has nothing to measure on here; the other steps have."""


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
    short: Path | None = None
    """A checkpoint of the workspace's recipe after one epoch."""
    arms: Path | None = None
    """The workspace of `make bench-embedding` on the same catalogue and splits."""

    def traffic(self) -> Traffic:
        """The observed photos, observed now if they were not yet. Raises MissingInput."""
        if not self.places.is_observed:
            observe_photos(self.places, self.shop())
        if missing := lacking(self.places.observed):
            raise MissingInput(f"the catalogue has no {' and no '.join(missing)}; shifts need {' and '.join(TOLD)}")
        return read_traffic(self.places.observed)

    def shop(self) -> Workspace:
        """The workspace, once it holds a catalogue and a trained model. Raises MissingInput."""
        shop = Workspace(self.places.workspace)
        for needed in (shop.validated, shop.splits, shop.exported):
            if not needed.is_dir():
                raise MissingInput(f"{needed} is missing; it needs a workspace in which a model was exported")
        return shop

    def one_epoch(self) -> Path:
        """The checkpoint after one epoch. Raises MissingInput."""
        if self.short is None or not (self.short / RECORD).is_file():
            raise MissingInput(
                f"--short is {self.short}; it needs the folder of a checkpoint of the same recipe after one epoch"
            )
        return self.short

    def arm(self, name: str) -> Path:
        """The checkpoint of one training of the embedding study. Raises MissingInput."""
        if self.arms is None:
            raise MissingInput("--arms is not given; it needs the workspace of `make bench-embedding`")
        checkpoint = self.arms / "seed_0" / "runs" / name / "checkpoint"
        if not (checkpoint / RECORD).is_file():
            raise MissingInput(f"{checkpoint} is missing; it needs the workspace of a finished `make bench-embedding`")
        return checkpoint


@dataclass(frozen=True)
class Measured:
    """What one step found."""

    figures: Mapping[str, Figure]
    """By the key they are recorded under."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON: the numbers behind them, which tables and plots are made of."""
