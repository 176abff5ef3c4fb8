"""Fit a recipe's projection on what training has seen, never on products kept for evaluation."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.pixels import PixelNormaliser
from lookalike.models.projection import Projection
from lookalike.progress import progress
from lookalike.training.data import TrainingSet
from lookalike.training.recipe import ProjectionSettings, Recipe

BATCH = 256
LEAST_SHARE = 1e-10
"""Share of the largest variance below which an axis holds rounding errors; whitening would blow them up."""


def project(network: EmbeddingNetwork, data: TrainingSet, recipe: Recipe) -> None:
    """Give `network` its projection where the recipe asks for one. Raises TrainingError for too few products."""
    if recipe.projection is None:
        return
    fast = torch.cuda.is_available() and recipe.device in ("auto", "cuda", "gpu")
    vectors = _main_vectors(network.eval().to("cuda" if fast else "cpu"), data, recipe)
    network.to("cpu").projection = fit_projection(vectors, recipe.projection)


def fit_projection(vectors: NDArray[np.float32], settings: ProjectionSettings) -> Projection:
    """Principal axes of (N, D) unit vectors. Raises TrainingError where they have not that many."""
    count, dimension = vectors.shape
    if count <= settings.dimension:
        raise TrainingError(f"{count} training products do not determine projection.dimension = {settings.dimension}")
    fitted = PCA(settings.dimension, svd_solver="covariance_eigh").fit(vectors.astype(np.float64))
    variance = fitted.explained_variance_  # (E,), falling
    if settings.whiten and variance[-1] < LEAST_SHARE * variance[0]:
        meant = int((variance >= LEAST_SHARE * variance[0]).sum())
        raise TrainingError(
            f"only {meant} axes of the embeddings vary; projection.dimension = {settings.dimension} cannot be whitened"
        )
    scale = variance**-0.5 if settings.whiten else np.ones_like(variance)
    projection = Projection(dimension, settings.dimension)
    projection.centre.copy_(torch.from_numpy(fitted.mean_))
    projection.axes.copy_(torch.from_numpy(fitted.components_ * scale[:, None]))
    return projection


@torch.inference_mode()
def _main_vectors(network: EmbeddingNetwork, data: TrainingSet, recipe: Recipe) -> NDArray[np.float32]:
    """(N, D) embeddings of every training product's main photo, undamaged."""
    device = next(network.parameters()).device
    normaliser = PixelNormaliser(recipe.preprocessing).to(device)
    found = []
    for start in progress(range(0, len(data.first_photo), BATCH), "projection"):
        photos = np.ascontiguousarray(data.photos[data.first_photo[start : start + BATCH]])  # (B, H, W, 3)
        found.append(network(normaliser(torch.from_numpy(photos).to(device))).embedding.cpu().numpy())
    return np.concatenate(found)
