"""Where the study keeps its artifacts."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.drift.photos import COARSE, FIRST
from benchmarks.drift.traffic import file_name


@dataclass(frozen=True)
class Places:
    """Paths under one workspace in which a model was trained and exported. Nothing is created here."""

    workspace: Path
    quick: bool = False

    @property
    def root(self) -> Path:
        return self.workspace / ("drift_study_quick" if self.quick else "drift_study")

    @property
    def observed(self) -> Path:
        """Photos as the service would have logged them; quick and full studies observe the same."""
        return self.workspace / "drift_study" / "observed"

    @property
    def gallery(self) -> Path:
        """Vectors of the catalogue's photos."""
        return self.workspace / "drift_study" / "gallery.npy"

    @property
    def is_observed(self) -> bool:
        return all((self.observed / file_name(draw)).is_file() for draw in (FIRST, COARSE))

    def trials(self, step: str) -> Path:
        return self.root / f"{step}.jsonl"
