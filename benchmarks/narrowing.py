"""What narrowing by predicted attributes and ranking by colours are worth, chosen on validation, told once on test.

It needs a workspace in which validate, split, train and export have run; the gallery is the whole catalogue.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.narrowing_shop import ANSWERS, Answered, Asked, Shop, answer, ask
from benchmarks.results import Figure, record
from lookalike.errors import LookalikeError
from lookalike.evaluation.bootstrap import Resamples, draw_resamples, estimate_difference, estimate_mean
from lookalike.search.narrowing import NarrowingLimits, believed
from lookalike.search.page import Query
from lookalike.search.query import SearchRequest
from lookalike.workspace import Workspace

CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5)
LOST = 0.01
"""Recall@10 of damaged photos that narrowing may cost, at most."""
PLAIN = "plain"
Shape = Callable[[Query], tuple[Query, SearchRequest]]


def plain(query: Query, colour_weight: float = 0.0) -> tuple[Query, SearchRequest]:
    """A search as it comes, or with colours counting."""
    asked = SearchRequest(photo=b"-", k=ANSWERS, colour_weight=colour_weight)
    return (query if colour_weight else replace(query, colours=None)), asked


def narrowed(shop: Shop, confidence: float, relaxed: bool, query: Query) -> tuple[Query, SearchRequest]:
    """By predictions at least so sure: relaxed attribute by attribute, or as filters that are never let go."""
    conditions = believed(query.predicted, shop.fields, (), NarrowingLimits(confidence=confidence))
    bare, asked = plain(query)
    if relaxed:
        return replace(bare, narrowed=conditions), asked
    return bare, asked.model_copy(update={"filters": conditions})


def shapes(shop: Shop, confidences: tuple[float, ...], weights: tuple[float, ...]) -> dict[str, Shape]:
    """Every way to ask, by the name its figures carry."""
    return {
        PLAIN: plain,
        **{f"narrowing_{value:g}": partial(narrowed, shop, value, True) for value in confidences},
        **{f"narrowing_strict_{value:g}": partial(narrowed, shop, value, False) for value in confidences},
        **{f"colour_rerank_{weight:g}": partial(plain, colour_weight=weight) for weight in weights},
    }


def best_confidence(clean: dict[str, Answered], damaged: dict[str, Answered]) -> float:
    """The confidence of most fine precision@4 among those that cost damaged photos at most LOST of recall@10."""
    floor = damaged[PLAIN].found.mean() - LOST
    kept = [value for value in CONFIDENCES if damaged[f"narrowing_{value:g}"].found.mean() >= floor]
    return max(kept or CONFIDENCES[-1:], key=lambda value: np.nanmean(clean[f"narrowing_{value:g}"].fine))


def best_weight(clean: dict[str, Answered]) -> float:
    """The weight of most fine precision@4."""
    return max(WEIGHTS, key=lambda weight: np.nanmean(clean[f"colour_rerank_{weight:g}"].fine))


MEASURES = {
    "fine_precision_at_4": ("clean", "fine", "catalogue photos, own item left out; type, gender, colour, usage agree"),
    "colour_precision_at_4": ("clean", "colour", "catalogue photos, own item left out; the colour agrees"),
    "recall_at_10": ("damaged", "found", "photos damaged by the reseller mix; own product among the first ten"),
    "scanned_share": ("clean", "scanned", "photos compared in all readings of one answer, over those of the gallery"),
}


def figures(
    told: dict[str, dict[str, Answered]], resamples: dict[str, Resamples], split: str, how: str
) -> dict[str, Figure]:
    """Every measure of every shape, and on test what it changes against the plain search of the same queries."""
    found = {}
    for shape in told["clean"]:
        for measure, (photos, field, meaning) in MEASURES.items():
            if shape not in told[photos]:
                continue
            values, before = (getattr(told[photos][name], field) for name in (shape, PLAIN))
            key = f"{shape if shape != PLAIN else 'narrowing_plain'}_{split}_{measure}"
            sentence = f"{meaning}; {how}"
            found[key] = _figure(estimate_mean(values, resamples[photos]), "share", sentence)
            if split == "test" and shape != PLAIN:
                change = estimate_difference(values, before, resamples[photos])
                found[f"{key}_change"] = _figure(change, "difference", f"against the plain search; {sentence}")
    return found


def _figure(estimate: object, unit: str, how: str) -> Figure:
    value, interval, n = (getattr(estimate, name) for name in ("value", "interval", "n"))
    return Figure(value, unit, how, "make bench-narrowing", interval=interval, n=n)


def measure(
    shop: Shop, split: str, most: int, seed: int, confidences: tuple[float, ...], weights: tuple[float, ...]
) -> tuple[dict[str, dict[str, Answered]], dict[str, Resamples]]:
    """Answers by photos (clean, damaged) and shape, and the draws their intervals share."""
    told, resamples = dict[str, dict[str, Answered]](), dict[str, Resamples]()
    for photos in ("clean", "damaged"):
        asked: Asked = ask(shop, split, most, photos == "damaged", seed)
        ways = shapes(shop, confidences, weights if photos == "clean" else ())  # damage casts colours of its own
        told[photos] = {name: answer(shop, asked, way, f"{split}, {photos}, {name}") for name, way in ways.items()}
        resamples[photos] = draw_resamples(shop.truth.groups[asked.products], 1_000, 0.95, seed)
    return told, resamples


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    most = 200 if arguments.quick else arguments.queries
    try:
        with tempfile.TemporaryDirectory() as made:
            shop = Shop(Workspace(arguments.workspace), arguments.scratch or Path(made))
            run(shop, most, arguments.seed, write=not arguments.quick)
    except LookalikeError as error:
        sys.stderr.write(f"bench-narrowing: {error}\n")
        return 2
    return 0


def run(shop: Shop, most: int, seed: int, write: bool) -> None:
    """Choose on validation, then tell on test what was chosen."""
    how = (
        f"{len(shop.catalogue.gallery_photos):,} gallery photos in an exact faiss collection, model "
        f"{shop.embedder.identity.fingerprint[:12]}, at most {most} queries drawn with seed {seed}; 95 % intervals "
        "from 1,000 resamples of the split's groups"
    )
    told, resamples = measure(shop, "validation", most, seed, CONFIDENCES, WEIGHTS)
    confidence, weight = best_confidence(told["clean"], told["damaged"]), best_weight(told["clean"])
    chosen = {
        "narrowing_confidence": Figure(
            confidence,
            "probability",
            f"most fine precision@4 of those that cost damaged photos at most {LOST} of "
            f"recall@10, on validation; {how}",
            "make bench-narrowing",
        ),
        "colour_rerank_weight": Figure(
            weight, "share", f"most fine precision@4 on validation; {how}", "make bench-narrowing"
        ),
    }
    found = chosen | figures(told, resamples, "validation", how)
    found |= figures(*measure(shop, "test", most, seed, (confidence,), (weight,)), "test", how)
    with tempfile.TemporaryDirectory() as aside:
        record("index", found, **({} if write else {"folder": Path(aside)}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.narrowing", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="where validated, splits and exported lie")
    parser.add_argument("--scratch", type=Path, help="keep the gallery's index here for the next run")
    parser.add_argument("--queries", type=int, default=400, help="most photos per split, and as many damaged ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="200 photos; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
