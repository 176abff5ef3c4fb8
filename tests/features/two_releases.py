"""A shop on Monday and on Tuesday, a release of each in one feature store."""

from pathlib import Path

from lookalike.features.feast import FeastLookup
from lookalike.features.materialise import materialise
from lookalike.features.protocol import FeatureValue
from lookalike.features.settings import FeatureSettings
from lookalike.release.manifest import feature_service_name
from tests.features.shop import BOOT, CLOG, DEFINITIONS, MONDAY, TUESDAY, validated_folder

OLD, NEW = "a" * 64, "b" * 64
SERVED_BOOT: dict[str, FeatureValue] = {
    "title": "A boot",
    "vertical": "shoe",
    "colour": "red",
    "price": 80.0,
    "stock": 3.0,
}
SERVED_CLOG: dict[str, FeatureValue] = {
    "title": "A clog",
    "vertical": "shoe",
    "colour": "green",
    "fabric": "wood",
    "price": 25.5,
}
REPAINTED = {**BOOT, "colour": "blue", "price": 70.0}


def two_releases(root: Path, settings: FeatureSettings | None = None) -> Path:
    """On Tuesday the boot was repainted, the clog left and a mule came."""
    monday = validated_folder(root / "monday", [BOOT, CLOG])
    tuesday = validated_folder(root / "tuesday", [REPAINTED, {**CLOG, "product_id": "mule"}])
    materialise(monday, root / "old", root / "store", OLD, MONDAY, DEFINITIONS, settings)
    materialise(tuesday, root / "new", root / "store", NEW, TUESDAY, DEFINITIONS, settings)
    return root


def lookup(root: Path, release: str) -> FeastLookup:
    return FeastLookup(root / "store", feature_service_name(release))
