"""The vectors hard negatives are mined by."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.catalog.products import load_catalogue
from lookalike.errors import TrainingError
from lookalike.mining.vectors import read_vectors
from lookalike.training.embed_products import embed_products
from lookalike.training.embedder import TorchEmbedder
from tests.training.conftest import Train, tiny_recipe


def test_every_product_of_the_split_gets_the_vector_of_its_main_photo(
    trained: Train, shop: Path, tmp_path: Path
) -> None:
    trained(tiny_recipe(epochs=1))
    inputs = (shop / "validated", shop / "splits", tmp_path / "checkpoint")
    record = embed_products(*inputs, tmp_path / "vectors", batch=7)
    table = pd.read_parquet(tmp_path / "vectors" / "vectors.parquet")
    splits = pd.read_parquet(shop / "splits" / "splits.parquet")
    assert table["product_id"].tolist() == sorted(splits.loc[splits["split"] == "train", "product_id"])
    assert record.figures["products"] == len(table)
    catalogue, embedder = load_catalogue(shop / "validated"), TorchEmbedder(tmp_path / "checkpoint")
    main = [f"{product}/0" for product in table["product_id"]]
    contents = catalogue.photo_contents(main)
    expected = embedder.embed(embedder.identity.preprocessing.batch([contents[photo] for photo in main])).vectors
    found = read_vectors(tmp_path / "vectors", table["product_id"].to_numpy())  # as mining does
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert embed_products(*inputs, tmp_path / "vectors").reused


def test_a_split_without_products_is_refused(trained: Train, shop: Path, tmp_path: Path) -> None:
    trained(tiny_recipe(epochs=1))
    inputs = (shop / "validated", shop / "splits", tmp_path / "checkpoint")
    with pytest.raises(TrainingError, match="no products in the split 'holdout'; it has train, validation, test"):
        embed_products(*inputs, tmp_path / "vectors", split="holdout")
    assert not (tmp_path / "vectors").exists()
