"""Nearest-neighbour sheets: the same queries under several arms. They show photos and stay in the workspace."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.embedding.measure import vectors_file
from lookalike.catalog.products import Catalogue
from lookalike.evaluation.contact_sheet import SHOWN, SheetRow, draw_sheet, judge
from lookalike.evaluation.retrieval import Gallery, rank_products
from lookalike.evaluation.truth import Truth
from lookalike.storage import atomic_file

ROWS = 12


def draw_sheets(catalogue: Catalogue, truth: Truth, measured: dict[str, Path], folder: Path) -> None:
    """Write one sheet per arm: queries drawn by a seed from the test split, the own item left out of the answers."""
    for arm, measurement in measured.items():
        vectors = np.load(measurement / vectors_file("test"), allow_pickle=False).astype(np.float32)
        sheet = draw_sheet(_rows(catalogue, truth, vectors))
        with atomic_file(folder / f"{arm}.png") as aside:
            sheet.save(aside, "PNG")


def _rows(catalogue: Catalogue, truth: Truth, vectors: NDArray[np.float32]) -> list[SheetRow]:
    products = truth.rows("test")  # (Q,)
    queries = np.random.default_rng(0).permutation(len(products))[:ROWS]
    gallery = Gallery(vectors, products, truth.items[products])
    found = rank_products(vectors[queries], gallery, SHOWN, left_out=truth.items[products[queries]]).products
    shown = _contents(catalogue, np.unique([*products[queries], *found[found >= 0]]))
    return [
        SheetRow(
            shown[int(own)],
            tuple(shown[int(row)] for row in answers if row >= 0),
            tuple(judge(truth, int(own), int(row)) for row in answers if row >= 0),
        )
        for own, answers in zip(products[queries], found, strict=True)
    ]


def _contents(catalogue: Catalogue, rows: NDArray[np.int64]) -> dict[int, bytes]:
    """Main photo by product row."""
    main = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
    ids = main.loc[catalogue.products["product_id"].to_numpy()[rows]]
    contents = catalogue.photo_contents(list(ids))
    return {int(row): contents[photo] for row, photo in zip(rows, ids, strict=True)}
