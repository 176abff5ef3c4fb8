"""Triplets from a click log: what was clicked against what was shown and passed over.

After Pailitao, "Visual search at Alibaba" (KDD 2018, arXiv 2102.04674): clicked results are positives, results
shown and not clicked are negatives unless they are near the query or near something clicked, for people do not
click every right answer. The paper's thresholds are not known here; the defaults are ours. A negative stands above
the positive it is set against, for only what stands above a click was surely seen and skipped: Joachims,
"Optimizing Search Engines using Clickthrough Data" (KDD 2002), section 2.2; the highest are kept.

Clicks far down are rarer than likings there, since few look so far. Where the log says what each click counts
(`weight`, the inverse of the chance that its place was looked at), triplets are drawn by it, so that training, which
knows no weights, sees what it would see if every place were looked at: Joachims, Swaminathan and Schnabel (WSDM 2017,
arXiv 1608.04468), section 4.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.errors import ArtifactError, MiningError
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, join_triplets, near_duplicates
from lookalike.progress import progress

CLICKS = "clicks.parquet"
"""The click log in a folder of collected feedback."""
COLUMNS = ("query", "product_id", "position", "clicked", "when")
"""A row per result shown. `query` is a product id, or the id of one of its photos: a shopper's own photo cannot be
an anchor, for training reads photos from the catalogue. Rows of equal `query` and `when` are one result list;
`position` grows down the list; `clicked` is a bool."""
WEIGHT = "weight"
"""A further column: what a click counts against others, 0 for nothing; without it all count alike."""

ROWS_PER_CHUNK = 200_000
"""Results looked at together; result lists are never cut."""


def mine_clicks(
    log: Path,
    ids: NDArray,
    vectors: NDArray[np.float32],
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
) -> tuple[Triplets, dict[str, int]]:
    """Triplets among the N products `ids`, clicked at level 1 and passed over at level 0, and figures of the log.

    Rows about products that are not among `ids`, about the query's own product and about its near-duplicates are
    left out and counted. Raises ArtifactError for an unreadable log, MiningError for missing columns.
    """
    table = _read(log)
    rows = _known_rows(table, pd.Index(ids))
    rng = np.random.default_rng([settings.seed, 2])
    usable = rows[~_same_product(rows["anchor"].to_numpy(), rows["shown"].to_numpy(), duplicates)]
    shown = usable.groupby(["search", "anchor", "shown"], as_index=False).agg(
        clicked=("clicked", "max"), position=("position", "min"), weight=("weight", "max")
    )  # a product shown twice in a list is one result
    mean = shown.loc[shown["clicked"] & (shown["weight"] > 0), "weight"].mean()
    shown["weight"] = (shown["weight"] / mean).fillna(0.0)  # so the mean click makes as many triplets as ever
    chunks = progress(list(_chunks(shown)), "clicks")
    parts = [_triplets_of(part, vectors, duplicates, settings, rng) for part in chunks]
    triplets = join_triplets([*parts, _none()])
    figures = {
        "click_rows": len(table),
        "click_rows_of_other_products": len(table) - len(rows),
        "click_searches": int(shown["search"].nunique()),
        "click_triplets": len(triplets),
    }
    return triplets, figures


def named_in(log: Path, ids: NDArray) -> NDArray[np.bool_]:
    """(N,) which of the products `ids` a click log names. Raises as `mine_clicks` does."""
    rows = _known_rows(_read(log), pd.Index(ids))
    named = np.zeros(len(ids), bool)
    named[rows["anchor"]] = named[rows["shown"]] = True
    return named


def _read(log: Path) -> pd.DataFrame:
    if not log.is_file():
        raise ArtifactError(f"{log} is no file; a click log is a parquet file with columns {', '.join(COLUMNS)}")
    table = pd.read_parquet(log)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise MiningError(f"the click log {log} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}")
    if table["clicked"].dtype != bool:
        raise MiningError(
            f"clicked in {log} is of type {table['clicked'].dtype}; it must be true or false in every row"
        )
    return table[list(COLUMNS)].assign(weight=table.get(WEIGHT, 1.0))


def _known_rows(table: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Rows with query and result as positions in `ids`, and the result list they belong to."""
    query = table["query"].astype(str)
    as_product = ids.get_indexer(pd.Index(query))
    as_photo = ids.get_indexer(pd.Index(query.str.rpartition("/")[0]))  # a photo id is <product_id>/<position>
    rows = pd.DataFrame(
        {
            "search": table.groupby(["query", "when"], sort=False, dropna=False).ngroup(),
            "anchor": np.where(as_product >= 0, as_product, as_photo),
            "shown": ids.get_indexer(pd.Index(table["product_id"])),
            "clicked": table["clicked"],
            "position": table["position"],
            "weight": table["weight"],
        }
    )
    return rows[(rows["anchor"] >= 0) & (rows["shown"] >= 0)]


def _same_product(ours: NDArray, theirs: NDArray, duplicates: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (ours == theirs) | near_duplicates(duplicates, ours, theirs)


def _chunks(shown: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Parts of `shown`, sorted by search, that end where a search ends."""
    search = shown["search"].to_numpy()
    first = 0
    while first < len(search):
        last = min(first + ROWS_PER_CHUNK, len(search)) - 1
        end = int(np.searchsorted(search, search[last], side="right"))
        yield shown.iloc[first:end]
        first = end


def _triplets_of(
    shown: pd.DataFrame,
    vectors: NDArray[np.float32],
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
    rng: np.random.Generator,
) -> Triplets:
    """Every kept positive of a search with the first few kept negatives above it, as often as it counts."""
    to_query = _similarity(vectors, shown["anchor"], shown["shown"])
    clicked, passed = shown[shown["clicked"]], shown[~shown["clicked"]]
    positives = clicked[to_query[shown["clicked"]] >= settings.click_positive]
    negatives = passed[to_query[~shown["clicked"]] < settings.click_negative]
    beside = negatives.reset_index().merge(clicked, on="search", suffixes=("", "_clicked"))
    near = _similarity(vectors, beside["shown"], beside["shown_clicked"]) >= settings.click_negative
    negatives = negatives[~negatives.index.isin(beside.loc[near, "index"])].sort_values(["search", "position", "shown"])
    pairs = positives.merge(negatives[["search", "shown", "position"]], on="search", suffixes=("", "_negative"))
    pairs = pairs[pairs["position_negative"] < pairs["position"]]
    pairs = pairs[~_same_product(pairs["shown"].to_numpy(), pairs["shown_negative"].to_numpy(), duplicates)]
    pairs = pairs[pairs.groupby(["search", "shown"]).cumcount() < settings.triplets_per_click]
    pairs = pairs.loc[pairs.index.repeat(_copies(pairs["weight"].to_numpy(np.float64), rng))]
    count = len(pairs)
    anchor, positive, negative = (pairs[name].to_numpy(np.int64) for name in ("anchor", "shown", "shown_negative"))
    return Triplets(anchor, positive, negative, np.ones(count, np.int8), np.zeros(count, np.int8))


def _copies(weight: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) whole numbers whose expectations are the weights; a weight of 1 is always 1."""
    return np.floor(weight + rng.random(len(weight))).astype(np.int64)


def _similarity(vectors: NDArray[np.float32], ours: pd.Series, theirs: pd.Series) -> NDArray[np.float32]:
    return np.einsum("nd,nd->n", vectors[ours.to_numpy()], vectors[theirs.to_numpy()])


def _none() -> Triplets:
    products, levels = np.empty(0, np.int64), np.empty(0, np.int8)
    return Triplets(products, products, products, levels, levels)
