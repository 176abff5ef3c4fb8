"""Why an answer stands where it does: what was compared, in figures and in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Compared:
    """One attribute, as the model sees it in the photo and as it is stored of the product."""

    attribute: str
    seen: str
    confidence: float
    """Probability of what is seen, in [0, 1]."""
    stored: str

    def as_json(self) -> dict[str, Any]:
        return {
            "attribute": self.attribute,
            "seen": self.seen,
            "confidence": round(self.confidence, 6),
            "stored": self.stored,
        }


@dataclass(frozen=True)
class Why:
    """What the order was made of; an answer beyond the shortlist stands by its appearance alone."""

    rank: int
    """Place among all answers, from 1, pages before counted."""
    appearance: float
    """Cosine similarity of the embeddings, in [-1, 1]."""
    colour: float | None
    """Share of colours in common, in [0, 1]; None where colours were not weighed."""
    category_gain: float | None
    """What its vertical gained; None where verticals were not weighed."""
    together: float
    """Appearance and colour by their weights, and the gain: what the shortlist is ordered by."""
    agrees: tuple[Compared, ...]
    """Attributes whose stored value is the one seen, the most certain first."""
    differs: tuple[Compared, ...]
    """Attributes with another stored value; those nobody knows are in neither list."""
    met: tuple[str, ...] | None
    """Attributes that narrowed the search and that it meets, the most certain first; those that meet more stand
    first. None where the search was not narrowed."""

    def as_json(self) -> dict[str, Any]:
        weighed = {"colour": self.colour, "category_gain": self.category_gain}
        return {
            "rank": self.rank,
            "appearance": round(self.appearance, 6),
            **{name: round(value, 6) for name, value in weighed.items() if value is not None},
            "together": round(self.together, 6),
            "agrees": [compared.as_json() for compared in self.agrees],
            "differs": [compared.as_json() for compared in self.differs],
            **({} if self.met is None else {"met": list(self.met)}),
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """The same for people."""
        return "; ".join(self._clauses()) + "."

    def _clauses(self) -> Iterator[str]:
        yield f"Its look agrees to {self.appearance:.0%}"
        if self.colour is not None:
            yield f"its colours to {self.colour:.0%}"
        if self.agrees:
            yield "same " + ", ".join(f"{one.attribute} ({one.stored})" for one in self.agrees)
        if self.differs:
            yield "other " + ", ".join(f"{one.attribute} ({one.stored}, not {one.seen})" for one in self.differs)
        if self.met:
            yield f"stands before those that differ in {' or '.join(self.met)}"
        if self.category_gain:
            yield f"its vertical moves it up by {self.category_gain:.2f}"
