"""PyTorch embedders: the trained network, and the untrained backbone it has to beat."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.models.distances import normalise
from lookalike.models.pixels import PixelNormaliser
from lookalike.models.serving import ServingModel
from lookalike.storage import digest_file
from lookalike.training.checkpoint import BACKBONE, load_backbone, load_checkpoint


class TorchEmbedder:
    """A checkpoint behind the Embedder protocol."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        network, checkpoint = load_checkpoint(folder)
        self._model = ServingModel(network, checkpoint.recipe.preprocessing).to(device)
        self._identity, self._device = checkpoint.identity, device

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @torch.inference_mode()
    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        vectors, probabilities = self._model(torch.from_numpy(pixels).to(self._device))
        labels = self._identity.attribute_labels
        parts = probabilities.cpu().split([len(values) for values in labels.values()], dim=1) if labels else ()
        attributes = {name: part.numpy() for name, part in zip(labels, parts, strict=True)}
        return Embeddings(vectors.cpu().numpy(), attributes)


class FrozenBackbone:
    """Pooled features of the encoder as it was before training, L2-normalised: the baseline of every evaluation."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        encoder, checkpoint = load_backbone(folder)
        preprocessing = checkpoint.recipe.preprocessing
        self._model = nn.Sequential(PixelNormaliser(preprocessing), encoder).eval().to(device)
        self._device = device
        features = encoder.feature_count(preprocessing.height, preprocessing.width)
        self._identity = ModelIdentity(digest_file(folder / BACKBONE), preprocessing, features, {})

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @torch.inference_mode()
    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        features = self._model(torch.from_numpy(pixels).to(self._device))
        return Embeddings(normalise(features).cpu().numpy(), {})
