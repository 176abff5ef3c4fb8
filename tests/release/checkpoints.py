"""A sealed checkpoint of a tiny ResNet with two attribute heads."""

from pathlib import Path
from typing import Any

import torch

from lookalike.models.encoder import EncoderSettings, build_encoder
from lookalike.storage import run_stage
from lookalike.training.checkpoint import build_network, save_checkpoint, tensors_of
from lookalike.training.project import fit_projection
from lookalike.training.recipe import ProjectionSettings, Recipe
from tests.release.tiny import PREPROCESSING

ENCODER = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8], "depths": [1], "layer_type": "basic"}
LABELS = {"shape": ["triangle", "ellipse", "rectangle"], "colour": ["red", "blue"]}


def make_checkpoint(output: Path, projection: ProjectionSettings | None = None) -> None:
    encoder = EncoderSettings(config=ENCODER, batch_norm="train")
    recipe = Recipe(encoder=encoder, preprocessing=PREPROCESSING, dimension=8, projection=projection, epochs=1)

    def work(folder: Path) -> dict[str, Any]:
        torch.manual_seed(0)
        encoder = build_encoder(recipe.encoder)
        network = build_network(encoder, recipe, LABELS)
        if projection is not None:
            vectors = torch.nn.functional.normalize(torch.randn(50, 8), dim=1)
            network.projection = fit_projection(vectors.numpy(), projection)
        save_checkpoint(folder, network, recipe, LABELS, tensors_of(encoder))
        return {}

    run_stage("train", output, inputs={}, settings={}, content=["weights.safetensors"], work=work)
