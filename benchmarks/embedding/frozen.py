"""Backbones as they come, measured beside the trained arms."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.embedding.settings import Frozen
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.models.distances import normalise
from lookalike.models.encoder import build_encoder
from lookalike.models.pixels import PixelNormaliser
from lookalike.storage import digest_bytes, digest_json
from lookalike.training.checkpoint import tensors_of


class FrozenEncoder:
    """Pooled features of an untrained backbone, L2-normalised, behind the Embedder protocol."""

    def __init__(self, settings: Frozen, encoders: Path) -> None:
        preprocessing = settings.preprocessing
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # random weights, where the settings name no pretrained ones, are always the same
            encoder = build_encoder(settings.encoder, (encoders,))
        features = encoder.feature_count(preprocessing.height, preprocessing.width)
        weights = {name: digest_bytes(value.numpy().tobytes()) for name, value in tensors_of(encoder).items()}
        self._model = nn.Sequential(PixelNormaliser(preprocessing), encoder).eval()
        self._identity = ModelIdentity(digest_json(weights), preprocessing, features, {})

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @torch.inference_mode()
    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return Embeddings(normalise(self._model(torch.from_numpy(pixels))).numpy(), {})
