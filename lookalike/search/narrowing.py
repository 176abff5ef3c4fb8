"""Searching only where the photo's predicted attributes agree, and less strictly where too few products do.

Visual Fashion-Product Search at SK Planet, arXiv 1609.07859: their index keeps postings by predicted attribute and
looks for neighbours inside the query's own. Here a posting is a filter, and one wrong prediction does not empty the
answer: filters fall away one by one, the least certain first. How sure a prediction must be, the paper leaves open.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.index.predicates import OneOf, Where, fields_of
from lookalike.index.protocol import Hit
from lookalike.search.answer import Narrowing, Prediction


class NarrowingLimits(StrictConfig):
    """Which predictions narrow a search."""

    confidence: float = Field(default=0.95, ge=0, le=1)
    """Smallest probability of a predicted value that is believed; damaged photos lose their own product below 0.95
    (recall@10 0.70 to 0.60 at 0.8, `docs/attribute-search.md`)."""


def believed(
    predicted: Mapping[str, Prediction], fields: Collection[str], filters: Where, limits: NarrowingLimits
) -> tuple[OneOf, ...]:
    """A condition per attribute predicted surely enough, the most certain first, ties by name.

    Attributes the collection does not store, or that the shopper filters by, are left alone.
    """
    names = set(predicted) & set(fields) - fields_of(filters)
    sure = [name for name in names if predicted[name].confidence >= limits.confidence]
    sure.sort(key=lambda name: (-predicted[name].confidence, name))
    return tuple(OneOf(name, (predicted[name].value,)) for name in sure)


def relaxations(conditions: Sequence[OneOf]) -> Iterator[Where]:
    """All conditions, then ever fewer without the least certain, at last none."""
    for kept in range(len(conditions), -1, -1):
        yield tuple(conditions[:kept])


def narrowing(conditions: Sequence[OneOf], page: Sequence[Hit]) -> Narrowing:
    """Which conditions all answers of a page meet, and which were relaxed for some of them."""
    met = [all(condition.accepts(hit.fields[condition.field]) for hit in page) for condition in conditions]
    kept = met.index(False) if False in met else len(met)
    names = [condition.field for condition in conditions]
    return Narrowing(tuple(names[:kept]), tuple(reversed(names[kept:])))
