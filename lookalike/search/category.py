"""The vertical a query photo belongs to, and what a search makes of it (Alibaba, arXiv 2102.04674, section 3.1).

A search is narrowed only where the fused probability is one that proved right often enough, and even then the other
verticals follow behind; a boost moves the nearest photos and hides none. A shopper who says the vertical is believed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.errors import QueryError
from lookalike.fusion import Category, Fusion, Opinion, judge_category
from lookalike.index.predicates import OneOf
from lookalike.index.protocol import Hit

VERTICAL = "vertical"
"""Field of a photo in the index."""
CategoryUse = Literal["off", "auto", "boost", "narrow"]


@dataclass(frozen=True)
class CategoryTold:
    """What the answer says of the photo's vertical."""

    category: Category
    used: Literal["nothing", "boosted", "narrowed"]
    """What the search made of it: nothing where it was not sure enough to narrow by."""
    condition: OneOf | None
    """What stands before all others in a narrowed search."""
    boosts: dict[str, float]
    """What photos of a vertical gain in the order; empty where nothing is boosted."""

    def as_json(self) -> dict[str, Any]:
        witnesses = {"head": self.category.head, "votes": self.category.votes}
        return {
            **_opinion(self.category.fused),
            **{name: _opinion(said) for name, said in witnesses.items() if said is not None},
            "used": self.used,
            "choices": sorted(self.category.probabilities),
        }


def settled_use(use: CategoryUse, fusion: Fusion | None, fields: Collection[str]) -> CategoryUse:
    """What `auto` comes to: a boost where the release can tell verticals, and nothing where it cannot."""
    if use != "auto":
        return use
    return "boost" if fusion is not None and VERTICAL in fields else "off"


def check_category(use: CategoryUse, vertical: str | None, fusion: Fusion | None, fields: Collection[str]) -> None:
    """Raise QueryError where the release cannot tell verticals, or does not know the one that is named."""
    if use != "off" and fusion is None:
        raise QueryError(f"category is '{use}', but this release was evaluated without category fusion; send 'off'")
    if (use != "off" or vertical is not None) and VERTICAL not in fields:
        raise QueryError("this collection stores no verticals; index the catalogue again")
    if vertical is not None and fusion is not None and vertical not in fusion.verticals:
        raise QueryError(f"vertical is {vertical[:80]!r}; accepted: {', '.join(fusion.verticals)}")


def tell_category(
    use: CategoryUse, fusion: Fusion, identity: ModelIdentity, photo: Embeddings, neighbours: Sequence[Hit]
) -> CategoryTold:
    """Judge the one embedded photo by its nearest photos, and say what the search is to make of it."""
    head = photo.attributes[fusion.attribute][0] if fusion.attribute in photo.attributes else None
    labels = identity.attribute_labels.get(fusion.attribute or "", [])
    category = judge_category(fusion, head, labels, [(hit.score, hit.fields[VERTICAL]) for hit in neighbours])
    if use == "boost" and fusion.boost > 0:
        gains = {vertical: fusion.boost * share for vertical, share in category.probabilities.items()}
        return CategoryTold(category, "boosted", None, gains)
    if use == "narrow" and category.fused.confidence >= fusion.sure:
        return CategoryTold(category, "narrowed", OneOf(VERTICAL, (category.fused.value,)), {})
    return CategoryTold(category, "nothing", None, {})


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {"value": opinion.value, "confidence": round(opinion.confidence, 6)}
