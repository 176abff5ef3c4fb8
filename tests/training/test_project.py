"""The projection at the end of a model: what it keeps, where it is fitted, who sees it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from lookalike.catalog.products import load_catalogue
from lookalike.errors import TrainingError
from lookalike.training.checkpoint import load_checkpoint
from lookalike.training.embedder import TorchEmbedder
from lookalike.training.project import fit_projection
from lookalike.training.recipe import ProjectionSettings
from tests.training.conftest import Train, tiny_recipe


def _vectors(count: int = 400, dimension: int = 6, seed: int = 0) -> np.ndarray:
    """Unit vectors around a direction of their own, spread more along some axes than along others."""
    rng = np.random.default_rng(seed)
    spread = rng.standard_normal((count, dimension)) * np.linspace(0.5, 0.05, dimension)
    vectors = spread @ np.linalg.qr(rng.standard_normal((dimension, dimension)))[0] + np.eye(dimension)[0]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_all_axes_unscaled_keep_every_cosine_of_the_centred_vectors() -> None:
    vectors = _vectors()
    found = fit_projection(vectors, ProjectionSettings(dimension=6))(torch.from_numpy(vectors)).numpy()
    centred = _unit(vectors - vectors.mean(axis=0))
    np.testing.assert_allclose(found @ found.T, centred @ centred.T, atol=1e-5)


def test_fewer_axes_are_those_of_the_largest_variance() -> None:
    vectors = _vectors()
    projection = fit_projection(vectors, ProjectionSettings(dimension=2))
    axes = projection.axes.numpy()
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-6)
    covariance = np.cov(vectors.T)
    largest = np.linalg.eigvalsh(covariance)[::-1][:2]
    np.testing.assert_allclose(np.diag(axes @ covariance @ axes.T), largest, rtol=1e-4)
    np.testing.assert_allclose(projection.centre.numpy(), vectors.mean(axis=0), atol=1e-6)


def test_whitened_axes_all_vary_by_one() -> None:
    vectors = _vectors()
    projection = fit_projection(vectors, ProjectionSettings(dimension=4, whiten=True))
    before_length = (vectors - projection.centre.numpy()) @ projection.axes.numpy().T  # (N, 4)
    np.testing.assert_allclose(np.cov(before_length.T), np.eye(4), atol=1e-3)


def test_axes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"3 training products do not determine projection.dimension = 4"):
        fit_projection(_vectors(3), ProjectionSettings(dimension=4))
    flat = _vectors().copy()
    flat[:, 3:] = 0
    with pytest.raises(TrainingError, match=r"only 3 axes of the embeddings vary; .* cannot be whitened"):
        fit_projection(flat, ProjectionSettings(dimension=5, whiten=True))
    with pytest.raises(ValidationError, match=r"projection.dimension is 13; an embedding of dimension = 12"):
        tiny_recipe(projection={"dimension": 13})


def test_a_projection_changes_the_identity_and_the_vectors_but_not_what_was_learnt(
    trained: Train, shop: Path, tmp_path: Path
) -> None:
    trained(tiny_recipe(), "plain")
    trained(tiny_recipe(projection={"dimension": 5, "whiten": True}), "projected")
    plain, projected = (TorchEmbedder(tmp_path / name) for name in ("plain", "projected"))
    assert projected.identity.fingerprint != plain.identity.fingerprint
    assert (plain.identity.dimension, projected.identity.dimension) == (12, 5)
    network = load_checkpoint(tmp_path / "projected")[0]
    assert network.projection is not None
    catalogue = load_catalogue(shop / "validated")
    contents = catalogue.photo_contents(catalogue.gallery_photos["photo_id"].tolist())
    pixels = tiny_recipe().preprocessing.batch(list(contents.values()))
    before, after = plain.embed(pixels), projected.embed(pixels)
    expected = network.projection(torch.from_numpy(before.vectors)).numpy()
    np.testing.assert_allclose(after.vectors, expected, atol=1e-5)
    for name, probabilities in before.attributes.items():  # the heads read what they were trained on
        np.testing.assert_array_equal(after.attributes[name], probabilities)


def test_the_projection_is_fitted_on_the_main_photos_of_training_products_alone(
    trained: Train, shop: Path, tmp_path: Path
) -> None:
    trained(tiny_recipe(epochs=1), "plain")
    trained(tiny_recipe(epochs=1, projection={"dimension": 5}), "projected")
    splits = pd.read_parquet(shop / "splits" / "splits.parquet")
    training = sorted(splits.loc[splits["split"] == "train", "product_id"])
    contents = load_catalogue(shop / "validated").photo_contents([f"{product}/0" for product in training])
    embedder = TorchEmbedder(tmp_path / "plain")
    vectors = embedder.embed(embedder.identity.preprocessing.batch(list(contents.values()))).vectors
    projection = load_checkpoint(tmp_path / "projected")[0].projection
    assert projection is not None
    np.testing.assert_allclose(projection.centre.numpy(), vectors.mean(axis=0), atol=1e-5)


def test_going_on_from_a_projected_model_starts_with_its_weights_and_fits_anew(trained: Train, tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=1, projection={"dimension": 5})
    trained(recipe, "champion")
    trained(recipe, "next", start_from=tmp_path / "champion")
    champion, challenger = (load_checkpoint(tmp_path / name)[0] for name in ("champion", "next"))
    assert champion.projection is not None and challenger.projection is not None
    assert not torch.equal(champion.projection.axes, challenger.projection.axes)
