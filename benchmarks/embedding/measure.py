"""Measure one embedder on one split: how alike the answers are, per query, so that arms can be paired afterwards."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.protocol import Embedder, Embeddings
from lookalike.evaluation.measure import alike_values, ndcg_values
from lookalike.evaluation.metrics import shared_attributes
from lookalike.evaluation.retrieval import Gallery, Ranking, rank_products
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.mining.settings import MiningSettings
from lookalike.progress import progress
from lookalike.storage import StageRecord, run_stage
from lookalike.training.decoded import cached_gallery

SPLITS = ("validation", "test")
"""Validation chooses, test is reported; nothing is ever chosen by it."""

DEPTH, SHOWN, BATCH = 10, 4, 128

VERSION = 1
"""Raise it when the same checkpoint would measure differently, so that finished measurements are made anew."""


def values_file(split: str) -> str:
    """One row per query of a split."""
    return f"{split}.parquet"


def vectors_file(split: str) -> str:
    """(Q, D) float16, a row per query."""
    return f"{split}_vectors.npy"


def measure(validated: Path, splits: Path, pixels: Path, output: Path, embedder: Embedder) -> StageRecord:
    """Write the per-query values and vectors of both splits; queries and gallery are catalogue photos."""

    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        truth = read_truth(catalogue, splits)
        photos = cached_gallery(catalogue, embedder.identity.preprocessing, pixels)
        figures = {}
        for split in SPLITS:
            table, vectors = measure_split(embedder, catalogue, truth, photos, split)
            table.to_parquet(folder / values_file(split), index=False)
            np.save(folder / vectors_file(split), vectors.astype(np.float16))
            figures[split] = float(np.nanmean(table["fine_precision_at_4"]))
        return figures

    return run_stage(
        "measure",
        output,
        inputs={"validated": validated, "splits": splits},
        settings={"fingerprint": embedder.identity.fingerprint, "version": VERSION},
        content=[name(split) for split in SPLITS for name in (values_file, vectors_file)],
        work=work,
    )


def measure_split(
    embedder: Embedder, catalogue: Catalogue, truth: Truth, photos: NDArray[np.uint8], split: str
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Values and vectors of the split's main photos; `photos` (P, H, W, 3) are all gallery photos in their order."""
    owners = catalogue.products["product_id"].searchsorted(catalogue.gallery_photos["product_id"])  # (P,)
    places = np.flatnonzero(np.isin(owners, truth.rows(split)))  # (N,)
    shown = embed_pixels(embedder, photos, places, f"embed {split}")
    gallery = Gallery(shown.vectors, owners[places], truth.items[owners[places]])
    own, main = np.unique(owners[places], return_index=True)  # (Q,): a product's first photo is its main one
    answers = rank_products(shown.vectors[main], gallery, DEPTH, left_out=truth.items[own])
    values = {
        **alike_values(truth, own, answers),
        **ndcg_values(truth, own, answers, gallery),
        **level_shares(truth, own, answers),
        **heads_said(embedder, {name: said[main] for name, said in shown.attributes.items()}, truth, own),
    }
    return pd.DataFrame({"product": own, "group": truth.groups[own], **values}), shown.vectors[main]


def embed_pixels(embedder: Embedder, photos: NDArray[np.uint8], places: NDArray[np.int64], label: str) -> Embeddings:
    """Embed the photos at `places` (N,), a batch at a time."""
    parts = [
        embedder.embed(np.ascontiguousarray(photos[places[start : start + BATCH]]))
        for start in progress(range(0, len(places), BATCH), label)
    ]
    attributes = {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes}
    return Embeddings(np.concatenate([part.vectors for part in parts]), attributes)


def level_shares(truth: Truth, own: NDArray[np.int64], answers: Ranking) -> dict[str, NDArray[np.float64]]:
    """Share of the first four answers at each level of agreement, as mining cuts them: `level_<n>_at_4`."""
    levels = answer_levels(truth, own, answers.products[:, :SHOWN])  # (Q, 4)
    return {
        f"level_{level}_at_{SHOWN}": (levels == level).mean(axis=1)
        for level in range(len(MiningSettings().boundaries) + 1)
    }


def answer_levels(truth: Truth, own: NDArray[np.int64], products: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q, K) levels of answers: boundaries reached by the share of attributes known in both that match, 0 across
    verticals, -1 where nothing is known in both or there is no answer."""
    query, answer = truth.codes[own], truth.codes[products]  # (Q, A), (Q, K, A)
    known = ((query >= 0)[:, None, :] & (answer >= 0)).sum(axis=2)  # (Q, K)
    matched = shared_attributes(query, answer).sum(axis=2)
    slack = 1e-6
    levels = sum((matched >= (share - slack) * known).astype(np.int64) for share in MiningSettings().boundaries)
    levels = np.where(truth.verticals[own][:, None] == truth.verticals[products], levels, 0)
    return np.where((known > 0) & (products >= 0), levels, -1)


def heads_said(
    embedder: Embedder, heads: dict[str, NDArray[np.float32]], truth: Truth, own: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """`is_<attribute>` and, where there is a head (Q, C), `said_<attribute>`: codes of the truth, -1 where unknown."""
    values = {f"is_{name}": truth.codes[own, place].astype(np.int64) for place, name in enumerate(truth.attributes)}
    for name in set(heads) & set(truth.values):  # attributes read from titles have heads but no truth here
        codes = {value: code for code, value in enumerate(truth.values[name])}
        labels = np.array([codes[label] for label in embedder.identity.attribute_labels[name]])  # (C,)
        values[f"said_{name}"] = labels[heads[name].argmax(axis=1)]
    return values
