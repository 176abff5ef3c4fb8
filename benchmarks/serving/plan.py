"""What was asked for of the study of the service, and where it keeps its artifacts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.serving.settings import Study
from benchmarks.study import Measured, StudyPlaces, StudyPlan

COMMAND = "make bench-serving"


class Places(StudyPlaces):
    """Paths under one workspace. Nothing is created here."""

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    def exported(self, name: str) -> Path:
        """A model that the study makes itself."""
        return self.root / "exported" / name

    def shop(self, name: str) -> Path:
        """The workspace of a shop that is served."""
        return self.root / "shops" / name


@dataclass(frozen=True, kw_only=True)
class Plan(StudyPlan):
    """What was asked for on the command line."""

    places: Places
    study: Study
    models: tuple[Path, ...] = ()
    """Exports of trained models, served as releases that follow one another; untrained ones where there are none."""


class Measure(Protocol):
    """A measuring step; it may use `plan.places.scratch(<step>)`, and raises Skipped."""

    def __call__(self, plan: Plan) -> Measured: ...
