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


def require_catalogue(catalogue: str, mapping: str = "") -> None:
    """Raise CatalogueError or ConfigError where no catalogue can be found, before anything begins."""
    from lookalike.catalog.tables import CatalogueFiles

    CatalogueFiles.find(catalogue, Path(mapping) if mapping else None)


def note_delivery(catalogue: str, *, workspace: str, mapping: str = "", settings: Settings = NONE) -> str:
    """Remember where a delivery lies; returns the digest by which pipelines name it."""
    from lookalike.catalog.deliveries import Delivery, note_delivery
    from lookalike.catalog.thresholds import ValidationSettings

    chosen = settings_for(ValidationSettings, settings, "validate")
    found = Delivery(catalogue=catalogue, mapping=mapping)
    return note_delivery(Workspace(Path(workspace)).deliveries, found, chosen)


def validate_delivery(
    delivery: str, output: str, *, workspace: str, limit: int = 0, settings: Settings = NONE
) -> StageRecord:
    """Check the catalogue of a digest, wherever it lies. Raises CatalogueError where it changed since."""
    from lookalike.catalog.deliveries import find_delivery
    from lookalike.catalog.thresholds import ValidationSettings

    chosen = settings_for(ValidationSettings, settings, "validate")
    found = find_delivery(Workspace(Path(workspace)).deliveries, delivery, chosen)
    return validate(found.catalogue, output, mapping=found.mapping, limit=limit, settings=settings)


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
