"""Both splits before the models of the fresh cases, which are made when they are first asked for."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from benchmarks.drift.fresh_models import FINISHED, MODELS, Edited, Shown, Taught
from benchmarks.drift.gate_shop import Model
from benchmarks.drift.lessons import preprocessing_of, teach, training_set
from benchmarks.drift.sides import TEST, QuickEmbedder, Sides, as_they_are
from lookalike.evaluation.measure import Evaluation
from lookalike.storage import atomic_folder
from lookalike.training.checkpoint import BACKBONE, load_checkpoint, save_checkpoint
from lookalike.training.data import TrainingSet

TAUGHT = 6_000
"""Products of the train split that further training sees."""
TRIPLETS = 16
"""In a batch of it."""


@dataclass(frozen=True)
class FreshShop:
    """Two splits, the train split's products, and the checkpoints made so far."""

    validated: Path
    sides: Sides
    given: dict[str, Path]
    """The checkpoints that were there."""
    folder: Path
    """Where the others are kept."""
    steps: int
    evaluated: dict[tuple[str, str], tuple[Model, Evaluation]] = field(default_factory=dict)
    """By model and split."""

    def evaluate(self, name: str, side: str) -> tuple[Model, Evaluation]:
        """A model's answers on a split, and what they are worth."""
        if (name, side) not in self.evaluated:
            made, embedder = MODELS.get(name), QuickEmbedder(self.checkpoint(name))
            model = self.sides.ask(embedder, side, name, made.see if isinstance(made, Shown) else as_they_are)
            self.evaluated[name, side] = model, self.sides.shops[side].evaluate(model)
        return self.evaluated[name, side]

    def checkpoint(self, name: str) -> Path:
        """Where a model's weights lie; made now where they were not yet."""
        if name in self.given:
            return self.given[name]
        made, output = MODELS[name], self.folder / name.replace(" ", "_")
        if isinstance(made, Shown):
            return self.checkpoint(made.start)
        if isinstance(made, Taught):
            data = self._lesson(made.vertical, made.seed)
            changes = {"seed": made.seed, "triplets_per_batch": TRIPLETS}
            return teach(self.checkpoint(made.start), data, self.steps, output, changes)
        return output if output.is_dir() else _edited(self.checkpoint(made.start), made, output)

    def _lesson(self, vertical: str | None, seed: int) -> TrainingSet:
        shop = self.sides.shops[TEST]
        there = shop.truth.rows("train")
        if vertical is not None:
            there = there[shop.truth.verticals[there] == vertical]
        rows = np.random.default_rng([seed, 5]).permutation(there)[:TAUGHT]
        ids = shop.catalogue.products["product_id"].to_numpy(object)[rows]
        return training_set(self.validated, ids, preprocessing_of(self.given[FINISHED]), seed)


def _edited(start: Path, made: Edited, output: Path) -> Path:
    network, checkpoint = load_checkpoint(start)
    weights = network.state_dict()
    network.load_state_dict({name: made.edit(each) if each.dim() >= 2 else each for name, each in weights.items()})
    with atomic_folder(output) as aside:
        labels = checkpoint.identity.attribute_labels
        save_checkpoint(aside, network, checkpoint.recipe, labels, load_file(start / BACKBONE))
    return output
