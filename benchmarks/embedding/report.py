"""From finished measurements to the committed results: figures, tables in the page, plots."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.manifold import TSNE

from benchmarks.embedding.arms import MAIN, RATES, SWEPT
from benchmarks.embedding.capabilities import SUBJECTS, head_figures, robustness_figures
from benchmarks.embedding.claims import gain_figures, outside_figures, precision_figures
from benchmarks.embedding.details import DETAILS, arm_details
from benchmarks.embedding.measure import SPLITS, values_file, vectors_file
from benchmarks.embedding.places import Places
from benchmarks.embedding.plots import SHOWN, draw_map, draw_plots
from benchmarks.embedding.results import FINE, Results
from benchmarks.embedding.robustness import HITS
from benchmarks.embedding.sheets import draw_sheets
from benchmarks.embedding.tables import TABLES
from benchmarks.pages import fill
from benchmarks.results import RESULTS, Figure, record
from lookalike.catalog.products import load_catalogue
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.storage import SEAL, atomic_file, read_json, write_json

log = logging.getLogger(__name__)

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "embedding.md"
SUBJECT = "embedding"

MAPPED = 2_000
"""Test products on the map of embeddings."""


@dataclass(frozen=True)
class Destination:
    """Where results go: into the repository, or for a trial into the workspace."""

    results: Path = RESULTS
    docs: Path = DOCS

    @property
    def pictures(self) -> Path:
        return self.docs / "figures"


def write_report(
    places: Places, runs: Iterable[tuple[str, int]], outside: Sequence[str], destination: Destination
) -> dict[str, Figure]:
    """Write figures, details, plots and the page's tables from whatever runs are measured, and return the figures.

    `outside` names the runs that are no arms of the experiment and compared with none of them.
    """
    done = _measured(places, runs)
    results = _results(places, {arm: seeds for arm, seeds in done.items() if arm not in outside})
    figures = {**precision_figures(results), **gain_figures(results), **_capabilities(places, done, outside)}
    for name in outside:
        with_frozen = {arm: seeds for arm, seeds in done.items() if arm == name or arm.startswith("frozen")}
        figures |= outside_figures(_results(places, with_frozen), name)
    record(SUBJECT, figures, destination.results)
    checkpoints = {arm: [places.checkpoint(arm, seed) for seed in seeds] for arm, seeds in done.items()}
    write_json(destination.results / DETAILS, arm_details(results, checkpoints) | {"sweep": _sweep(places)})
    _draw(places, done, destination)
    fill_page(destination)
    return figures


def fill_page(destination: Destination) -> None:
    """Make the page's tables anew from the committed numbers; the page's prose comes from docs/."""
    figures = read_json(destination.results / f"{SUBJECT}.json")["figures"]
    page = fill((DOCS / PAGE).read_text(encoding="utf-8"), figures, read_json(destination.results / DETAILS), TABLES)
    with atomic_file(destination.docs / PAGE) as aside:
        aside.write_text(page, encoding="utf-8")


def _measured(places: Places, runs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Arms to the seeds that are measured; the others are told and left out."""
    done: dict[str, list[int]] = {}
    for arm, seed in runs:
        if (places.measured(arm, seed) / SEAL).is_file():
            done.setdefault(arm, []).append(seed)
        else:
            log.warning("%s seed %d is not measured and not in the report", arm, seed)
    return done


def _sweep(places: Places) -> dict[str, dict[str, float]]:
    """Validation fine precision@4 of swept arms by learning rate, under the first seed."""
    found: dict[str, dict[str, float]] = {}
    for arm in SWEPT:
        for rate in RATES:
            file = places.at_rate(arm, rate).measured(arm, 0) / values_file("validation")
            if file.is_file():
                found.setdefault(arm, {})[f"{rate:g}"] = round(float(pd.read_parquet(file)[FINE].mean()), 4)
    return found


def _results(places: Places, done: dict[str, list[int]]) -> dict[str, Results]:
    """By split."""
    return {
        split: Results.read(
            {arm: [places.measured(arm, seed) / values_file(split) for seed in seeds] for arm, seeds in done.items()}
        )
        for split in SPLITS
    }


def _capabilities(places: Places, done: dict[str, list[int]], outside: Sequence[str]) -> dict[str, Figure]:
    """Figures of the models whose abilities are told, and of the untrained backbone beside them."""
    subjects = [arm for arm in (*outside, *SUBJECTS) if arm in done]
    hits = {
        arm: [path for seed in done[arm] if (path := places.robustness(arm, seed) / HITS).is_file()]
        for arm in (*subjects, "frozen")
        if arm in done
    }
    figures = robustness_figures(Results.read(hits)) if any(hits.values()) else {}
    if subjects:
        heads = _results(places, {arm: done[arm] for arm in subjects})["test"]
        figures |= head_figures(heads, places.validated)
    return figures


def _draw(places: Places, done: dict[str, list[int]], destination: Destination) -> None:
    draw_plots(read_json(destination.results / DETAILS), destination.pictures)
    catalogue = load_catalogue(places.validated)
    truth = read_truth(catalogue, places.splits)
    shown = {arm: places.measured(arm, done[arm][0]) for arm in SHOWN if arm in done}
    draw_sheets(catalogue, truth, shown, places.sheets)
    if MAIN in done:
        _draw_map(truth, places.measured(MAIN, done[MAIN][0]), destination.pictures / "map.png")


def _draw_map(truth: Truth, measured: Path, path: Path) -> None:
    """t-SNE (van der Maaten & Hinton 2008) of test embeddings, coloured by the coarse attribute."""
    vectors = np.load(measured / vectors_file("test"), allow_pickle=False).astype(np.float32)
    drawn = np.sort(np.random.default_rng(0).permutation(len(vectors))[:MAPPED])
    perplexity = min(30.0, (len(drawn) - 1) / 3)
    places = TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=0).fit_transform(vectors[drawn])
    codes = truth.codes[truth.rows("test")[drawn], truth.coarse[0]]
    values = np.array([*truth.values[truth.attributes[truth.coarse[0]]], "unknown"], dtype=object)
    draw_map(places, values[codes], path)  # -1 is the last: unknown
