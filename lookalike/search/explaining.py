"""The reasons for a page's order, from what was compared to make it."""

from collections.abc import Mapping
from itertools import takewhile

from lookalike.catalog.colours import intersection, read_histograms
from lookalike.catalog.group_fields import COLOURS
from lookalike.index.protocol import Hit
from lookalike.search.answer import Prediction
from lookalike.search.category import VERTICAL
from lookalike.search.page import Page, Query
from lookalike.search.query import SearchRequest
from lookalike.search.why import Compared, Why


def explain(page: Page, query: Query, request: SearchRequest, offset: int) -> list[Why | None]:
    """Per answer of a page why it stands there, `offset` answers standing before the page; None where nobody asked."""
    if not request.explain:
        return [None] * len(page.hits)
    colours = _colours(page.hits, query)
    return [
        _why(hit, colour, query, request.colour_weight, offset + place)
        for place, (hit, colour) in enumerate(zip(page.hits, colours, strict=True), start=1)
    ]


def _colours(hits: list[Hit], query: Query) -> list[float] | list[None]:
    """Per answer its colours in common with the photo's; nothing where these were not weighed."""
    if query.colours is None or not hits:
        return [None] * len(hits)
    histograms = read_histograms([hit.fields[COLOURS] for hit in hits])  # (K, BINS)
    return [float(share) for share in intersection(query.colours, histograms)]


def _why(hit: Hit, colour: float | None, query: Query, weight: float, rank: int) -> Why:
    boosts = query.category.boosts if query.category else {}
    gain = boosts.get(hit.fields[VERTICAL] or "", 0.0) if boosts else None
    looks = hit.score if colour is None else (1 - weight) * hit.score + weight * colour
    compared = _compared(query.predicted, hit)
    met = takewhile(lambda condition: condition.accepts(hit.fields[condition.field]), query.narrowed)
    return Why(
        rank=rank,
        appearance=hit.score,
        colour=colour,
        category_gain=gain,
        together=looks + (gain or 0.0),
        agrees=tuple(one for one in compared if one.stored == one.seen),
        differs=tuple(one for one in compared if one.stored != one.seen),
        met=tuple(condition.field for condition in met) if query.narrowed else None,
    )


def _compared(predicted: Mapping[str, Prediction], hit: Hit) -> list[Compared]:
    """The predicted attributes that the product is known to have, the most certain first, ties by name."""
    by_certainty = sorted(predicted, key=lambda name: (-predicted[name].confidence, name))
    known = {name: hit.fields[name] for name in by_certainty if name in hit.fields}
    return [
        Compared(name, predicted[name].value, predicted[name].confidence, stored)
        for name, stored in known.items()
        if stored is not None
    ]
