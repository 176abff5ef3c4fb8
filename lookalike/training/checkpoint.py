"""A trained model on disk: safetensors and JSON, nothing that runs code when it is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lookalike.config import parse_config
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ArtifactError
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.encoder import Encoder, EncoderSettings, build_encoder
from lookalike.models.projection import Projection
from lookalike.storage import digest_file, read_json, write_json
from lookalike.training.recipe import Recipe

WEIGHTS = "weights.safetensors"
BACKBONE = "backbone.safetensors"
"""The encoder as it was before training, for the frozen baseline evaluation compares with."""
RECORD = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """What `checkpoint.json` says about the weights beside it."""

    identity: ModelIdentity
    recipe: Recipe
    encoder_config: dict[str, Any]
    """The encoder's architecture, in `transformers` terms."""


def build_network(encoder: Encoder, recipe: Recipe, attribute_labels: dict[str, list[str]]) -> EmbeddingNetwork:
    """The recipe's network around an encoder; only the tasks that are on get parameters."""
    size = recipe.preprocessing
    return EmbeddingNetwork(
        encoder,
        encoder.feature_count(size.height, size.width),
        recipe.dimension,
        [len(labels) for labels in attribute_labels.values()] if recipe.tasks.attributes else [],
        recipe.thumbnail if recipe.tasks.reconstruction else None,
    )


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, contiguous on the CPU, as safetensors wants them."""
    return {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}


def save_checkpoint(
    folder: Path,
    network: EmbeddingNetwork,
    recipe: Recipe,
    attribute_labels: dict[str, list[str]],
    backbone: dict[str, Tensor],
) -> Checkpoint:
    """Write weights, the untrained encoder's weights and the record into an existing folder."""
    save_file(tensors_of(network), folder / WEIGHTS)
    save_file(backbone, folder / BACKBONE)
    labels = attribute_labels if recipe.tasks.attributes else {}
    identity = ModelIdentity(digest_file(folder / WEIGHTS), recipe.preprocessing, recipe.vector_dimension, labels)
    record: dict[str, Any] = {
        "fingerprint": identity.fingerprint,
        "weights": identity.weights,
        "attribute_labels": [[name, values] for name, values in labels.items()],  # a list: order is the heads'
        "encoder_config": network.encoder.config(),
        "recipe": recipe.model_dump(mode="json"),
    }
    write_json(folder / RECORD, record)
    return Checkpoint(identity, recipe, record["encoder_config"])


def read_checkpoint(folder: Path) -> Checkpoint:
    """The record alone. Raises ArtifactError where the weights are not the ones it was written for."""
    record = read_json(folder / RECORD)
    recipe = parse_config(Recipe, record["recipe"], str(folder / RECORD))
    identity = ModelIdentity(
        record["weights"],
        recipe.preprocessing,
        recipe.vector_dimension,
        {name: list(v) for name, v in record["attribute_labels"]},
    )
    if not (folder / WEIGHTS).is_file() or digest_file(folder / WEIGHTS) != identity.weights:
        raise ArtifactError(f"{folder / WEIGHTS} is missing or was changed since {RECORD} was written; train again")
    return Checkpoint(identity, recipe, record["encoder_config"])


def load_checkpoint(folder: Path) -> tuple[EmbeddingNetwork, Checkpoint]:
    """The network, in evaluation mode on the CPU, and its record. Raises ArtifactError."""
    checkpoint = read_checkpoint(folder)
    recipe = checkpoint.recipe
    network = build_network(_bare_encoder(checkpoint), recipe, checkpoint.identity.attribute_labels)
    if recipe.projection is not None:
        network.projection = Projection(recipe.dimension, recipe.projection.dimension)
    network.load_state_dict(load_file(folder / WEIGHTS))
    return network.eval(), checkpoint


def load_backbone(folder: Path) -> tuple[Encoder, Checkpoint]:
    """The encoder as it was before training, in evaluation mode on the CPU, and the record."""
    checkpoint = read_checkpoint(folder)
    encoder = _bare_encoder(checkpoint)
    encoder.load_state_dict(load_file(folder / BACKBONE))
    return encoder.eval(), checkpoint


def _bare_encoder(checkpoint: Checkpoint) -> Encoder:
    """The architecture with whatever weights chance gives; the caller overwrites them all."""
    settings = EncoderSettings(config=checkpoint.encoder_config, batch_norm=checkpoint.recipe.encoder.batch_norm)
    with torch.random.fork_rng(devices=[]):
        return build_encoder(settings)
