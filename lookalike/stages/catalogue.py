"""From a delivery to a validated catalogue and its splits."""

from pathlib import Path
from typing import Any

from lookalike.stages.arguments import NONE, Settings, settings_for
from lookalike.storage import StageRecord
from lookalike.workspace import Workspace


def draw(output: str, *, products: int, seed: int) -> StageRecord:
    """Draw the sample shop."""
    from lookalike.catalog.sample import SampleShop, draw_shop

    return draw_shop(Path(output), SampleShop(products=products, seed=seed))


def catalogue_digest(catalogue: str, mapping: str = "") -> str:
    """Digest over the bytes of a catalogue's files."""
    from lookalike.catalog.tables import CatalogueFiles

    return CatalogueFiles.find(catalogue, Path(mapping) if mapping else None).digest()


def with_erasures(workspace: str, settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings, with the validate stage told which products were erased in this workspace."""
    from lookalike.catalog.erasures import load_erasures

    chosen = {stage: dict(values) for stage, values in settings.items()}
    erased = sorted(load_erasures(Workspace(Path(workspace)).erasures).erased)
    return {**chosen, "validate": {**chosen.get("validate", {}), "erased": erased}} if erased else chosen


def validate(
    catalogue: str, output: str, *, mapping: str = "", limit: int = 0, settings: Settings = NONE
) -> StageRecord:
    """Check a catalogue and set bad rows aside."""
    from lookalike.catalog.thresholds import ValidationSettings
    from lookalike.catalog.validation import validate

    chosen = settings_for(ValidationSettings, settings, "validate")
    return validate(catalogue, Path(output), chosen, Path(mapping) if mapping else None, limit or None)


def split(validated: str, output: str, *, settings: Settings = NONE) -> StageRecord:
    """Assign products to train, validation and test."""
    from lookalike.catalog.splits import SplitSettings, split

    return split(Path(validated), Path(output), settings_for(SplitSettings, settings, "split"))
