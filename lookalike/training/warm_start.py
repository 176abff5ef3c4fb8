"""Going on from an earlier model: its weights, matched by name, and its attribute values, matched by label."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.heads import AttributeHead
from lookalike.training.checkpoint import Checkpoint, load_checkpoint
from lookalike.training.recipe import Recipe


def require_same_space(recipe: Recipe, earlier: Checkpoint, folder: Path) -> None:
    """Raise TrainingError unless the recipe's encoder, pixels and size are the earlier model's."""
    wanted, had = _space(recipe), _space(earlier.recipe)
    for setting, value in wanted.items():
        if value != had[setting]:
            raise TrainingError(
                f"cannot go on from {folder}: its {setting} is {had[setting]!r}, the recipe's is {value!r}"
            )


def _space(recipe: Recipe) -> dict[str, Any]:
    source = recipe.encoder.source
    return {
        "encoder": Path(source).name if source else recipe.encoder.config,  # wherever a pretrained folder lies today
        "batch_norm": recipe.encoder.batch_norm,
        "dimension": recipe.dimension,
        "preprocessing": recipe.preprocessing.model_dump(),
    }


def inherit_weights(network: EmbeddingNetwork, labels: dict[str, list[str]], folder: Path) -> None:
    """Copy an earlier checkpoint's weights into `network`; attributes and values it did not know keep their start."""
    earlier, checkpoint = load_checkpoint(folder)
    known = checkpoint.identity.attribute_labels
    own = network.state_dict()
    shared = {name: value for name, value in earlier.state_dict().items() if not name.startswith("heads.")}
    network.load_state_dict(own | {name: value for name, value in shared.items() if name in own})
    for place, attribute in enumerate(known):
        if attribute in labels and len(network.heads.heads):
            head = network.heads.heads[list(labels).index(attribute)]
            _inherit_head(head, labels[attribute], earlier.heads.heads[place], known[attribute])


@torch.no_grad()
def _inherit_head(head: nn.Module, labels: list[str], earlier: nn.Module, known: list[str]) -> None:
    assert isinstance(head, AttributeHead) and isinstance(earlier, AttributeHead)
    for place, value in enumerate(labels):
        if value in known:
            head.directions[place] = earlier.directions[known.index(value)]
            head.bias[place] = earlier.bias[known.index(value)]
    head.log_scale.copy_(earlier.log_scale)
