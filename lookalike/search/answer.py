"""What a search answers, as Python objects and as the JSON every protocol carries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lookalike.catalog.group_fields import HIDDEN
from lookalike.features.protocol import Features, FeatureValue
from lookalike.index.protocol import Hit
from lookalike.observation import Observation
from lookalike.search.category import CategoryTold
from lookalike.search.stock import StockTold
from lookalike.search.why import Why

PhotoUrl = Callable[[str, str], str | None]
"""From a photo's and its product's id to where the photo can be seen, None where nowhere."""


@dataclass(frozen=True)
class Prediction:
    """What the model sees in the photo, for one attribute."""

    value: str
    confidence: float
    """The value's probability, in [0, 1]."""


@dataclass(frozen=True)
class Narrowing:
    """What became of the predicted attributes on one page."""

    used: tuple[str, ...]
    """Attributes in whose predicted value every answer agrees, the most certain first."""
    relaxed: tuple[str, ...]
    """Attributes that were let go because too few products agreed in them, the first let go first."""

    def as_json(self) -> dict[str, list[str]]:
        return {"used": list(self.used), "relaxed": list(self.relaxed)}


@dataclass(frozen=True)
class SearchHit:
    """One answer: a product by its nearest photo, or a photo where grouping was off."""

    product_id: str
    photo_id: str
    score: float
    """Cosine similarity, in [-1, 1]; larger is closer."""
    fields: Mapping[str, str | None]
    """The filterable fields, as the index stores them."""
    matched: tuple[str, ...]
    """Attributes whose stored value is the one predicted for the photo."""
    features: Mapping[str, FeatureValue] | None
    """Served features (price, stock); None when they were late or unknown."""
    variants: tuple[str, ...] | None = None
    """Some other products of the same item or design, nearest first; None where answers are not folded so."""
    why: Why | None = None
    """Why it stands there; None where nobody asked."""
    photo_url: str | None = None
    """Where the photo can be seen; None where the service was not told of photos."""

    def as_json(self) -> dict[str, Any]:
        body = {
            "product_id": self.product_id,
            "photo_id": self.photo_id,
            "score": round(self.score, 6),
            "fields": dict(self.fields),
            "matched": list(self.matched),
            "photo_url": self.photo_url,
            **({} if self.variants is None else {"variants": list(self.variants)}),
            **({} if self.why is None else {"why": self.why.as_json()}),
        }
        return body | ({"features_absent": True} if self.features is None else {"features": dict(self.features)})


@dataclass(frozen=True)
class SearchAnswer:
    """A ranked answer that says which release gave it."""

    release_id: str
    model_fingerprint: str
    hits: tuple[SearchHit, ...]
    """Best first, ties by photo id: by score, or where the request weighs colours, by both together; in a narrowed
    search, those that agree in more attributes stand first."""
    next_cursor: str | None
    """Asks for the answers after these; None where there are no more."""
    predicted: Mapping[str, Prediction]
    """Per attribute; empty for a product query, or where the model has no attribute heads."""
    narrowing: Narrowing | None
    """Which predicted attributes the search was narrowed by; None where that was not asked for."""
    timings_ms: Mapping[str, float]
    """Milliseconds per stage (release, decode, embed, search, features) and in total."""
    observation: Observation | None
    """What drift detection keeps of a photo query's first page; never part of the JSON."""
    category: CategoryTold | None = None
    """The photo's vertical, and what was made of it; None where that was not asked for."""
    stock: StockTold | None = None
    """What was known of the stock asked for; None where any was."""
    update: int = 0
    """Number of the latest update that this answer has certainly seen; 0 before the release's first."""

    def with_photo_urls(self, url_of: PhotoUrl) -> "SearchAnswer":
        """The same answer; every hit says where its photo can be seen."""
        hits = (replace(hit, photo_url=url_of(hit.photo_id, hit.product_id)) for hit in self.hits)
        return replace(self, hits=tuple(hits))

    def as_json(self) -> dict[str, Any]:
        return {
            "release_id": self.release_id,
            "model_fingerprint": self.model_fingerprint,
            "hits": [hit.as_json() for hit in self.hits],
            "next_cursor": self.next_cursor,
            "predicted": {
                name: {"value": prediction.value, "confidence": round(prediction.confidence, 6)}
                for name, prediction in self.predicted.items()
            },
            **({} if self.category is None else {"category": self.category.as_json()}),
            **({} if self.narrowing is None else {"narrowing": self.narrowing.as_json()}),
            **({} if self.stock is None else {"stock": self.stock.as_json()}),
            "update": self.update,
            "timings_ms": {stage: round(spent, 3) for stage, spent in self.timings_ms.items()},
        }


def search_hits(
    hits: Sequence[Hit],
    variants: Sequence[tuple[str, ...] | None],
    why: Sequence[Why | None],
    predicted: Mapping[str, Prediction],
    features: Features,
) -> tuple[SearchHit, ...]:
    """Join index hits with their variants, their reasons, what was predicted and the features that arrived in time."""
    shown = [{name: value for name, value in hit.fields.items() if name not in HIDDEN} for hit in hits]
    return tuple(
        SearchHit(
            product_id=hit.product_id,
            photo_id=hit.photo_id,
            score=hit.score,
            fields=fields,
            matched=tuple(name for name, seen in predicted.items() if fields.get(name) == seen.value),
            features=features.get(hit.product_id),
            variants=others,
            why=reasons,
        )
        for hit, fields, others, reasons in zip(hits, shown, variants, why, strict=True)
    )
