"""What the demo does, in numbers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.workspace import Workspace

ORDINARY, SHIFTED = "reseller", "new_camera"
"""Damage profiles: what the release's reference holds, and what the traffic turns into."""


@dataclass(frozen=True)
class Plan:
    """One demo run."""

    shop: Workspace
    catalogue: str
    """Empty to draw the sample shop."""
    mapping: str
    limit: int
    recipe: dict[str, Any]
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage settings a person asked for."""
    window: int = 150
    """Queries in each of the three windows of traffic."""
    seed: int = 0

    @property
    def contact_sheet(self) -> Path:
        return self.shop.root / "contact_sheet.png"

    @property
    def report(self) -> Path:
        return self.shop.root / "report.html"

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Stage settings that differ from the defaults: a window is exactly one batch of the demo's traffic."""
        drift = {"max_rows": self.window, **self.overrides.get("drift", {})}
        return {**self.overrides, "drift": drift}

    @property
    def retrain_recipe(self) -> dict[str, Any]:
        """A retraining continues from the champion, so a quarter of the epochs has to do."""
        return {**self.recipe, "epochs": max(1, self.recipe["epochs"] // 4)}
