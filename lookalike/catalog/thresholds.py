"""What a delivery may come to before it is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from lookalike.catalog.images import ImageLimits
from lookalike.catalog.near_duplicates import NearDuplicateSettings
from lookalike.config import StrictConfig


class ValidationSettings(StrictConfig):
    """How strictly a catalogue is judged; shares are of the rows read unless said otherwise."""

    limits: ImageLimits = ImageLimits()
    """What one photo may cost."""
    near_duplicates: NearDuplicateSettings = NearDuplicateSettings()
    """When two photos count as the same picture."""
    allow_urls: tuple[str, ...] = ()
    """Web hosts that photos may be fetched from; none by default, since a catalogue's URLs are a stranger's."""
    photo_root: str | None = None
    """Folder or URL that relative photo paths start from; the catalogue's own folder where not given."""
    lexicon: str | None = None
    """Lexicon to read titles with instead of the mapping's: a shipped one's name or a YAML file."""
    allowed_values: dict[str, tuple[str, ...]] = {}
    """Per attribute, the values accepted; a row with another one is quarantined."""
    min_products: int = Field(default=2, ge=1)
    """Fewest products that must remain."""
    max_quarantined: float = Field(default=0.1, ge=0, le=1)
    """Largest share of rows in quarantine."""
    max_lost_photos: float = Field(default=0.1, ge=0, le=1)
    """Largest share of the photos of kept products that cannot be used."""
    max_required_null_rate: float = Field(default=0.05, ge=0, le=1)
    """Largest share of rows in which a required attribute is unknown."""
    max_null_rate: dict[str, float] = {}
    """Per attribute, the largest share of rows in which it may be unknown."""
    max_near_duplicates: float = Field(default=0.5, ge=0, le=1)
    """Largest share of products that share a picture with another product."""
    erased: tuple[str, ...] = ()
    """SHA-256 of product ids that were erased; their rows go to quarantine unseen. The command line fills this in."""
    previous: Path | None = None
    """An earlier output of this stage; ids that vanished or changed and new attribute values are reported."""
    max_vanished: float = Field(default=0.5, ge=0, le=1)
    """Largest share of the earlier products whose id is gone."""
    max_unseen_values: float = Field(default=0.1, ge=0, le=1)
    """Largest share of products with an attribute value that the earlier catalogue did not know."""

    def null_limits(self, required: tuple[str, ...]) -> dict[str, float]:
        """The largest null rate of each attribute that has one."""
        return dict.fromkeys(required, self.max_required_null_rate) | self.max_null_rate


def broken_thresholds(
    figures: Mapping[str, Any], settings: ValidationSettings, required: tuple[str, ...], columns: Mapping[str, str]
) -> list[str]:
    """One sentence per broken threshold, with the value and the threshold. `columns`: attribute to column."""
    rates = figures["null_rates"]
    broken = [
        f"the attribute '{name}' (column '{columns[name]}') is unknown for every product"
        for name, rate in rates.items()
        if rate == 1
    ]
    broken += [
        f"'{name}' is unknown in {rates[name]:.1%} of the rows, more than {limit:.1%}"
        for name, limit in settings.null_limits(required).items()
        if limit < rates[name] < 1
    ]
    if figures["products"] < settings.min_products:
        broken.append(f"{figures['products']} products remain, fewer than min_products {settings.min_products}")
    for share, limit, words in _shares(figures, settings):
        if share > limit:
            broken.append(f"{share:.1%} {words}, more than {limit:.1%}")
    return broken


def _shares(figures: Mapping[str, Any], settings: ValidationSettings) -> list[tuple[float, float, str]]:
    """(share, largest accepted, what it is a share of)."""

    def share(part: str, *whole: str) -> float:
        return figures[part] / max(sum(figures[name] for name in whole), 1)

    return [
        (share("quarantined", "rows"), settings.max_quarantined, f"of the rows are quarantined ({_reasons(figures)})"),
        (
            share("lost_photos", "lost_photos", "photos", "query_photos"),
            settings.max_lost_photos,
            "of the kept products' photos cannot be used",
        ),
        (
            share("near_duplicate_products", "products"),
            settings.max_near_duplicates,
            "of the products share a picture with another product",
        ),
        (
            share("vanished_ids", "previous_products"),
            settings.max_vanished,
            f"of the earlier product ids are gone ({figures['renamed_ids']} of them show up under another id)",
        ),
        (
            share("products_with_unseen_values", "products"),
            settings.max_unseen_values,
            "of the products have attribute values that the earlier catalogue did not know",
        ),
    ]


def _reasons(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in figures["quarantined_by_reason"].items()) or "none"
