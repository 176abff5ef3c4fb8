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

    def measured(self, step: str) -> Path:
        """What a measuring step found, for the report."""
        return self.root / "measured" / f"{step}.json"

    def scratch(self, step: str) -> Path:
        """A folder that a step may empty and fill."""
        return self.root / "scratch" / step
