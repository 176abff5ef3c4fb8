"""Where the experiment keeps its artifacts: one folder, every run apart."""

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.embedding.arms import ARMS


@dataclass(frozen=True)
class Places:
    """Paths under one workspace. Nothing is created here."""

    root: Path
    tried_rate: float | None = None
    """Set while learning rates are tried, whose runs lie beside those of the experiment."""

    def at_rate(self, arm: str, rate: float) -> "Places":
        """Where an arm's trial at a learning rate lies; the rate it has is the experiment's own run."""
        return self if ARMS[arm].learning_rate == rate else replace(self, tried_rate=rate)

    @property
    def drawn_shop(self) -> Path:
        return self.root / "drawn_shop"

    @property
    def validated(self) -> Path:
        return self.root / "validated"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    @property
    def pixels(self) -> Path:
        """Decoded photos that all runs share."""
        return self.root / "pixels"

    @property
    def resume(self) -> Path:
        """Where killed runs pick up again."""
        return self.root / "resume"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def queries(self, preprocessing: str) -> Path:
        """The damaged and undamaged query photos, decoded for a preprocessing's fingerprint."""
        return self.root / "queries" / preprocessing[:12]

    def relabelled(self, labels: str, seed: int) -> Path:
        """The validated catalogue with other labels."""
        return self.root / f"seed_{seed}" / "labels" / labels

    def triplets(self, labels: str, scheme: str, seed: int) -> Path:
        return self.root / f"seed_{seed}" / "triplets" / f"{labels}_{scheme}"

    def run(self, arm: str, seed: int) -> Path:
        runs = "runs" if self.tried_rate is None else f"runs_at_{self.tried_rate:g}"
        return self.root / f"seed_{seed}" / runs / arm

    def checkpoint(self, arm: str, seed: int) -> Path:
        return self.run(arm, seed) / "checkpoint"

    def measured(self, arm: str, seed: int) -> Path:
        """Figures per query of one arm under one seed."""
        return self.run(arm, seed) / "measured"

    def robustness(self, arm: str, seed: int) -> Path:
        return self.run(arm, seed) / "robustness"

    @property
    def sheets(self) -> Path:
        """Nearest-neighbour sheets: they show photos and stay here."""
        return self.root / "sheets"
