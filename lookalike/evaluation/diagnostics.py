"""What pipelines draw of an evaluation: a head's confusions, and the receiver operating characteristic of the cosine.

Both are bounded, whatever the catalogue: an interface keeps them as metadata of an artifact.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.measure import Evaluation, Measured
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.retrieval import Gallery
from lookalike.evaluation.truth import Truth

MOST_CATEGORIES = 25
"""Values in a matrix, the rarer ones joined as OTHER: 25 by 25 numbers are what a person can read."""
OTHER = "other"
BINS = 4000
"""Of the cosine's range: thresholds are told to 0.0005."""
POINTS = 101
"""Of the curve."""
PAIRS = 4_000_000
"""Compared at a time, whatever the gallery's size; about 100 MB."""
SHOWN_RATES = np.linspace(0, 1, POINTS) ** 3
"""False positive rates at which the curve is read, closer together where they are small, as a search needs them."""


def diagnostics(challenger: Evaluation, truth: Truth) -> dict[str, Any]:
    """The content of diagnostics.json: `confusion` (None without heads) and `roc`."""
    attribute = _shown_attribute(challenger, truth)
    return {
        "confusion": None if attribute is None else confusion(challenger, truth, attribute),
        "roc": verification_curve(challenger.sets[DAMAGED], challenger.gallery, challenger.gallery_photos, truth),
    }


def confusion(challenger: Evaluation, truth: Truth, attribute: str) -> dict[str, Any]:
    """What the attribute's head says (columns) of catalogue photos whose value is known (rows).

    The diagonal without OTHER, over all, is at most the head's accuracy: among the rare values right and wrong are one.
    """
    measured = challenger.sets[CATALOGUE]
    values = np.array(truth.values[attribute], dtype=object)
    wanted = truth.codes[measured.queries.photos.products, truth.attributes.index(attribute)]  # (Q,)
    labels = np.array(challenger.identity.attribute_labels[attribute], dtype=object)  # (C,)
    told = labels[measured.embeddings.attributes[attribute].argmax(axis=1)]  # (Q,)
    known = wanted >= 0
    categories, matrix = count_confusions(values[wanted[known]], told[known])
    return {"attribute": attribute, "queries": CATALOGUE, "categories": categories, "matrix": matrix}


def count_confusions(
    wanted: NDArray[np.object_], told: NDArray[np.object_], most: int = MOST_CATEGORIES
) -> tuple[list[str], list[list[int]]]:
    """(categories, matrix) with the most frequent of the wanted values; further ones are joined as OTHER at the end."""
    names, counts = np.unique(wanted.astype(str), return_counts=True)
    frequent = [str(name) for name in names[np.lexsort((names, -counts))]]
    strange = bool(set(map(str, told)) - set(frequent))
    kept = frequent if len(frequent) <= most and not strange else frequent[: most - 1]
    categories = kept if kept == frequent and not strange else [*kept, OTHER]
    places = {name: place for place, name in enumerate(kept)}
    matrix = np.zeros((len(categories), len(categories)), dtype=np.int64)
    np.add.at(matrix, (_placed(wanted, places), _placed(told, places)), 1)
    return categories, matrix.tolist()


def verification_curve(
    measured: Measured, gallery: Gallery, searched: int, truth: Truth, bins: int = BINS
) -> dict[str, Any]:
    """How well a threshold on the cosine tells whether a damaged photo and a photo of the split show the same item.

    Every query is paired with every one of the first `searched` photos of the gallery.
    """
    own = truth.items[measured.queries.photos.products]  # (Q,)
    vectors, items = gallery.vectors[:searched], gallery.items[:searched]
    same, other = np.zeros(bins, dtype=np.int64), np.zeros(bins, dtype=np.int64)
    chunk = max(1, PAIRS // max(1, searched))
    for start in range(0, len(own), chunk):
        part = slice(start, start + chunk)
        cosines = measured.embeddings.vectors[part] @ vectors.T  # (q, N)
        place = np.clip(((cosines + 1) / 2 * bins).astype(np.int64), 0, bins - 1)
        alike = own[part, None] == items
        same += np.bincount(place[alike], minlength=bins)
        other += np.bincount(place[~alike], minlength=bins)
    return {"queries": DAMAGED, "same": int(same.sum()), "other": int(other.sum()), **_curve(same, other)}


def _curve(same: NDArray[np.int64], other: NDArray[np.int64]) -> dict[str, Any]:
    """Area and points from (bins,) counts of pairs by cosine; a threshold accepts its bin and all above."""
    accepted = [np.concatenate([[0], np.cumsum(counts[::-1])]) / max(counts.sum(), 1) for counts in (same, other)]
    true_rate, false_rate = accepted  # (bins + 1,) each, from the strictest threshold to the most lenient
    area = float(np.trapezoid(true_rate, false_rate))
    shown = np.unique([0, *(np.searchsorted(false_rate, SHOWN_RATES, side="right") - 1)])
    thresholds = 1 - 2 * shown / len(same)
    return {
        "area": round(area, 6),
        "false_positive_rate": _rounded(false_rate[shown]),
        "true_positive_rate": _rounded(true_rate[shown]),
        "threshold": _rounded(thresholds),
    }


def _shown_attribute(challenger: Evaluation, truth: Truth) -> str | None:
    """The first coarse attribute that a head tells: the type of a product, where there is one."""
    order = [truth.attributes[place] for place in truth.coarse] + list(truth.attributes)
    told = challenger.sets[CATALOGUE].embeddings.attributes
    return next((name for name in order if name in told and name in truth.values), None)


def _placed(values: NDArray[np.object_], places: dict[str, int]) -> list[int]:
    return [places.get(str(value), len(places)) for value in values]


def _rounded(values: Sequence[float] | NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]
