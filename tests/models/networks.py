"""Encoders small enough to train in a test."""

import torch

from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.encoder import Encoder, EncoderSettings, build_encoder

TINY_RESNET = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 16],
    "depths": [1, 1],
    "layer_type": "basic",
}
TINY_VIT = {
    "model_type": "vit",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": [32, 24],
    "patch_size": 8,
}


def tiny_encoder(config: dict | None = None, batch_norm: str = "frozen") -> Encoder:
    torch.manual_seed(0)
    return build_encoder(EncoderSettings(config=config or TINY_RESNET, batch_norm=batch_norm))


def tiny_network(
    thumbnail: tuple[int, int] | None = (8, 6), value_counts: tuple[int, ...] = (3, 2)
) -> EmbeddingNetwork:
    return EmbeddingNetwork(tiny_encoder(), 16, 12, value_counts, thumbnail)
