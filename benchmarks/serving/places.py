"""Where the study keeps its artifacts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Paths under one workspace. Nothing is created here."""

    root: Path

    @property
    def drawn_shop(self) -> Path:
        return self.root / "drawn_shop"

    @property
    def validated(self) -> Path:
        return self.root / "validated"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    def exported(self, name: str) -> Path:
        """A model that the study makes itself."""
        return self.root / "exported" / name

    def shop(self, name: str) -> Path:
        """The workspace of a shop that is served."""
        return self.root / "shops" / name

    def measured(self, step: str) -> Path:
        """What a measuring step found, for the report."""
        return self.root / "measured" / f"{step}.json"

    def scratch(self, step: str) -> Path:
        """A folder that a step may empty and fill."""
        return self.root / "scratch" / step
