"""What the service answers: the shapes the OpenAPI document describes and the client returns."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]
"""The type of what an answer may leave out; in JSON it is not there, never null."""


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


ABSENT: Any = Field(default=None, json_schema_extra=_without_default)


class Told(BaseModel):
    """Base of everything that is answered. A client passes over what a newer service tells beyond it."""

    model_config = ConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
        json_schema_extra={"additionalProperties": False},
    )


class Prediction(Told):
    """What the model sees in the photo, for one attribute."""

    value: str
    confidence: float = Field(ge=0, le=1)
    """The value's probability."""


class Narrowing(Told):
    """What became of the predicted attributes on one page."""

    used: tuple[str, ...]
    """Attributes in whose predicted value every answer agrees, the most certain first."""
    relaxed: tuple[str, ...]
    """Attributes that were let go because too few products agreed in them, the first let go first."""


class Stock(Told):
    """What was known of the stock asked for, on one page."""

    asked: Literal["any", "first", "only"]
    unknown: int = Field(ge=0)
    """Answers of which nothing was known; they are shown as if they were there."""
    left_out: int = Field(ge=0)
    """Products left out between the page's first and last because they are out of stock."""


class Category(Prediction):
    """The photo's vertical, as the model and the photo's neighbours tell it together, and what was made of it."""

    head: Prediction | Absent = ABSENT
    """What the model alone tells."""
    votes: Prediction | Absent = ABSENT
    """What the neighbours alone tell."""
    used: Literal["nothing", "boosted", "narrowed"]
    """What the search made of it."""
    choices: list[str]
    """The verticals that `vertical` may name instead."""


class Compared(Told):
    """One attribute, as the model sees it in the photo and as it is stored of the product."""

    attribute: str
    seen: str
    confidence: float = Field(ge=0, le=1)
    """Probability of what is seen."""
    stored: str


class Why(Told):
    """Why an answer stands where it does."""

    rank: int = Field(ge=1)
    """Place among all answers, pages before counted."""
    appearance: float
    """Cosine similarity of the embeddings, in [-1, 1]."""
    colour: float | Absent = ABSENT
    """Share of colours in common, where colours were weighed."""
    category_gain: float | Absent = ABSENT
    """What its vertical gained, where verticals were weighed."""
    together: float
    """Appearance and colour by their weights, and the gain: what the nearest photos are ordered by."""
    agrees: tuple[Compared, ...]
    """Attributes whose stored value is the one seen, the most certain first."""
    differs: tuple[Compared, ...]
    """Attributes with another stored value."""
    met: tuple[str, ...] | Absent = ABSENT
    """Attributes that narrowed the search and that it meets, where the search was narrowed."""
    sentence: str
    """The same for people."""


class Hit(Told):
    """One answer: a product by its nearest photo, or a photo where grouping was off."""

    product_id: str
    photo_id: str
    score: float
    """Cosine similarity, in [-1, 1]; larger is closer."""
    fields: Mapping[str, str | None]
    """The filterable fields, as the index stores them; null where unknown."""
    matched: tuple[str, ...]
    """Attributes whose stored value is the one predicted for the photo."""
    photo_url: str | None
    """Where the photo can be seen: an address, or a path on this server; null where the service knows none."""
    variants: tuple[str, ...] | Absent = ABSENT
    """Some other products of the same item or design, nearest first, where answers are folded so."""
    why: Why | Absent = ABSENT
    """Why it stands there, where that was asked for."""
    features: Mapping[str, str | int | float | bool] | Absent = ABSENT
    """Served features such as price and stock."""
    features_absent: Literal[True] | Absent = ABSENT
    """There instead of `features` where these were late or unknown."""


class Answer(Told):
    """One page of answers, best first."""

    release_id: str
    """The release that answered."""
    model_fingerprint: str
    hits: tuple[Hit, ...]
    next_cursor: str | None
    """Asks for the answers after these; null where there are no more."""
    predicted: Mapping[str, Prediction]
    """What the model sees in the photo, by attribute; empty for a product."""
    category: Category | Absent = ABSENT
    """The photo's vertical, where that was asked for."""
    narrowing: Narrowing | Absent = ABSENT
    """What narrowed the search, where that was asked for."""
    stock: Stock | Absent = ABSENT
    """What was known of the products' stock, where not just any was asked for."""
    update: int = Field(ge=0)
    """Number of the latest update of the release that this answer has certainly seen."""
    timings_ms: Mapping[str, float]
    """Milliseconds per stage, and in total."""


class ProductPhoto(Told):
    """One of a product's photos that is searched."""

    photo_id: str
    photo_url: str | None
    """Where it can be seen; null where the service knows no place."""


class Product(Told):
    """A product as the live release has it."""

    release_id: str
    model_fingerprint: str
    product_id: str
    fields: Mapping[str, str | None]
    """The filterable fields, as the index stores them; null where unknown."""
    photos: tuple[ProductPhoto, ...]
    features: Mapping[str, str | int | float | bool] | Absent = ABSENT
    """Served features such as price and stock."""
    features_absent: Literal[True] | Absent = ABSENT
    """There instead of `features` where these were late or unknown."""
    update: int = Field(ge=0)
    timings_ms: Mapping[str, float]


class Ready(Told):
    """Whether the service can answer."""

    ready: bool
    release_id: str | Absent = ABSENT
    """The release in service."""
    degraded: tuple[str, ...] | Absent = ABSENT
    """Parts that failed lately; without them, answers are poorer or refused."""
    provider: str | Absent = ABSENT
    """onnxruntime's execution provider that computes the model; not there where Triton computes, whose metric
    `lookalike_model_provider` tells it."""


class Live(Told):
    """That the service runs."""

    live: Literal[True]


class Failure(Told):
    """Why a request was refused or failed."""

    error: str
    """A sentence; of the service's own faults it tells no more than that there was one."""


class Predictions(Told):
    """What `:predict` of KServe's v1 protocol answers."""

    predictions: tuple[Answer, ...]
    """One answer per instance."""
    release_id: str
