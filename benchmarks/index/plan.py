"""What was asked for of the study of the index, and where it keeps its artifacts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.index.settings import Study
from benchmarks.study import Measured, StudyPlaces, StudyPlan

COMMAND = "make bench-index"


class Places(StudyPlaces):
    """Paths under one workspace. Nothing is created here."""

    @property
    def embedded(self) -> Path:
        """The catalogue's vectors as the model gives them."""
        return self.root / "embedded"

    @property
    def real(self) -> Path:
        """The same in D dimensions, queries held back."""
        return self.root / "real"

    def grown(self, count: int) -> Path:
        return self.root / f"grown_{count}"

    def collection(self, count: int, kind: str) -> Path:
        """A faiss index' folder with one collection."""
        return self.root / f"built_{count}" / kind


@dataclass(frozen=True, kw_only=True)
class Plan(StudyPlan):
    """What was asked for on the command line."""

    places: Places
    study: Study
    checkpoint: Path | None = None
    """The trained model that embeds the photos; an untrained backbone where there is none."""


class Measure(Protocol):
    """A measuring step; it may use `plan.places.scratch(<step>)` and finds vectors and collections ready."""

    def __call__(self, plan: Plan) -> Measured: ...
