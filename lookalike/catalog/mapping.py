"""The mapping file: which columns of a shop's catalogue mean what."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator, model_validator

from lookalike.catalog.lexicon import Lexicon, find_lexicon
from lookalike.config import StrictConfig
from lookalike.errors import ConfigError


class AttributeSets(StrictConfig):
    """Which attributes must agree for two products to count as alike."""

    coarse: tuple[str, ...]
    """Attributes a shopper would never forgive, usually the product type alone."""
    fine: tuple[str, ...]
    """Attributes that all agree for a truly similar product."""


class CatalogueMapping(StrictConfig):
    """Column names of a catalogue; `lookalike validate --mapping FILE` reads it from YAML."""

    id: str
    """Column with the product id: unique and stable between deliveries."""
    image: tuple[str, ...] = Field(min_length=1)
    """Columns with photos: embedded bytes (a Hugging Face image struct or plain binary), a local path or a URL."""
    title: str | None = None
    """Column with the product's title, where there is one."""
    vertical: str
    """Column with the product family whose members share attributes (shoes, bags, garments)."""
    attributes: dict[str, str] = Field(min_length=1)
    """Attribute name to column; names are letters, digits and underscores."""
    features: dict[str, str] = {}
    """Further columns served with an answer but never learned from (price, stock): name to column."""
    required: tuple[str, ...] = ()
    """Attributes that must be known for every product."""
    lexicon: Lexicon | None = None
    """What titles say of further attributes: a shipped lexicon's name (fashion), a YAML file, or one written out.
    Attributes that the catalogue has itself are never replaced. None reads no titles."""
    alike: AttributeSets
    """What evaluation counts as a coarse and as a fine match."""
    missing: tuple[str, ...] = ("", "NA", "N/A", "nan", "None", "null", "unknown")
    """Words that stand for an unknown value, compared without regard to case."""
    files: str = "*"
    """Glob inside a catalogue folder that picks the catalogue's own files."""
    query_photos: str | None = None
    """Glob of further files with other photos of the same ids, used only as evaluation queries."""

    @field_validator("lexicon", mode="before")
    @classmethod
    def _looked_up(cls, lexicon: Any) -> Any:
        return find_lexicon(lexicon) if isinstance(lexicon, str) else lexicon

    @model_validator(mode="after")
    def _names_agree(self) -> "CatalogueMapping":
        if self.lexicon and self.title is None:
            raise ValueError("a lexicon reads titles, and the mapping names no title column")
        for setting, names in (
            ("required", self.required),
            ("alike.coarse", self.alike.coarse),
            ("alike.fine", self.alike.fine),
        ):
            unknown = sorted(set(names) - set(self.attributes))
            if unknown:
                raise ValueError(f"{setting} names {unknown}; the mapping's attributes are {sorted(self.attributes)}")
        for name in (*self.attributes, *self.features):
            if not name.isidentifier():
                raise ValueError(f"'{name}' is not a name of letters, digits and underscores")
        return self

    @property
    def sources(self) -> dict[str, str]:
        """Every attribute to the column that it is read from: the catalogue's own, then those that titles state."""
        stated = self.lexicon.names() if self.lexicon and self.title else []
        return self.attributes | {name: str(self.title) for name in stated if name not in self.attributes}

    def columns(self) -> list[str]:
        """Every column the mapping reads, without repeats, in a fixed order."""
        named = [self.id, self.title, self.vertical, *self.attributes.values(), *self.features.values(), *self.image]
        return list(dict.fromkeys(column for column in named if column is not None))


FASHION_PRODUCT_IMAGES = CatalogueMapping(
    id="id",
    image=("image",),
    title="productDisplayName",
    vertical="masterCategory",
    attributes={
        "type": "articleType",
        "gender": "gender",
        "colour": "baseColour",
        "usage": "usage",
        "season": "season",
    },
    required=("type",),
    alike=AttributeSets(coarse=("type",), fine=("type", "gender", "colour", "usage")),
    files="catalog-*.parquet",
    query_photos="photos_*.parquet",
)
"""The public Fashion Product Images set, recognised by its columns so that it needs no mapping file."""

PRESETS = {"fashion-product-images": FASHION_PRODUCT_IMAGES}


def mapping_for_columns(columns: Sequence[str]) -> CatalogueMapping:
    """The preset whose columns are all present. Raises ConfigError with what is missing for each preset."""
    for preset in PRESETS.values():
        if set(preset.columns()) <= set(columns):
            return preset
    lacking = {name: sorted(set(preset.columns()) - set(columns)) for name, preset in PRESETS.items()}
    raise ConfigError(
        f"no mapping file was given and the columns {sorted(columns)} fit no preset (missing: {lacking}); "
        "put a mapping.yaml beside the data or pass --mapping"
    )
