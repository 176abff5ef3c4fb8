"""The test split, where the gate looks, and the validation split, where only we look, before models made on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from benchmarks.drift.fresh_models import FINISHED, MODELS, Edited, Pixels, Shown, Taught
from benchmarks.drift.gate_shop import GateShop, Model
from benchmarks.drift.lessons import preprocessing_of, teach, training_set
from lookalike.embedders.protocol import Embedder, Embeddings
from lookalike.evaluation.measure import Embedded, Evaluation
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.progress import progress
from lookalike.storage import atomic_folder
from lookalike.training.checkpoint import BACKBONE, load_checkpoint, save_checkpoint
from lookalike.training.data import TrainingSet
from lookalike.training.embedder import TorchEmbedder

TEST, VALIDATION = "test", "validation"
BATCH = 64
TAUGHT = 6_000
"""Products of the train split that further training sees."""


@dataclass(frozen=True)
class FreshShop:
    """Two splits, the train split's products, and the checkpoints made so far."""

    validated: Path
    sides: dict[str, GateShop]
    """By split."""
    given: dict[str, Path]
    """The checkpoints that were there: FINISHED and SHORT."""
    folder: Path
    """Where the others are kept."""
    steps: int
    evaluated: dict[tuple[str, str], tuple[Model, Evaluation]] = field(default_factory=dict)
    """By model and split."""

    def evaluate(self, name: str, side: str) -> tuple[Model, Evaluation]:
        """A model's answers on a split, and what they are worth."""
        if (name, side) not in self.evaluated:
            model = self._ask(name, side)
            self.evaluated[name, side] = model, self.sides[side].evaluate(model)
        return self.evaluated[name, side]

    def checkpoint(self, name: str) -> Path:
        """Where a model's weights lie; made now where they were not yet."""
        if name in self.given:
            return self.given[name]
        made, output = MODELS[name], self.folder / name.replace(" ", "_")
        if isinstance(made, Shown):
            return self.checkpoint(made.start)
        if isinstance(made, Taught):
            data = made.data(self._lesson(made.vertical, made.seed))
            changes = {"seed": made.seed, **made.changes}
            return teach(self.checkpoint(made.start), data, self.steps, output, changes)
        starts = [self.checkpoint(each) for each in (made.start, *made.others)]
        return output if output.is_dir() else _edited(starts, made, output)

    def _lesson(self, vertical: str | None, seed: int) -> TrainingSet:
        truth = self.sides[TEST].truth
        there = truth.rows("train")
        if vertical is not None:
            there = there[truth.verticals[there] == vertical]
        rows = np.random.default_rng([seed, 5]).permutation(there)[:TAUGHT]
        ids = self.sides[TEST].catalogue.products["product_id"].to_numpy(object)[rows]
        return training_set(self.validated, ids, preprocessing_of(self.given[FINISHED]), seed)

    def _ask(self, name: str, side: str) -> Model:
        made, embedder = MODELS.get(name), TorchEmbedder(self.checkpoint(name))
        see = made.see if isinstance(made, Shown) else _as_they_are
        shown, damaged = (
            _embed(embedder, see, self._pixels[side, photos], f"{name}, {side}") for photos in (CATALOGUE, DAMAGED)
        )
        return Model(embedder.identity, Embedded(shown, {CATALOGUE: shown, DAMAGED: damaged}))

    @cached_property
    def _pixels(self) -> dict[tuple[str, str], Pixels]:
        """Every photo decoded once, for all models see the same size."""
        preprocessing = preprocessing_of(self.given[FINISHED])
        photos = {
            (side, name): each
            for side, shop in self.sides.items()
            for name, each in ((CATALOGUE, shop.gallery), (DAMAGED, shop.queries[1].photos))
        }
        return {key: preprocessing.batch(list(each.contents)) for key, each in photos.items()}


def read_sides(validated: Path, splits: Path, products: int) -> dict[str, GateShop]:
    """At most `products` of each split, and a quarter of them damaged, too."""
    settings = EvaluationSettings(damaged_queries=products // 4)
    parts = (settings.model_copy(update={"split": side}) for side in (TEST, VALIDATION))
    return {each.split: GateShop.read(validated, splits, each, products) for each in parts}


def _as_they_are(pixels: Pixels) -> Pixels:
    return pixels


def _embed(embedder: Embedder, see: Callable[[Pixels], Pixels], pixels: Pixels, label: str) -> Embeddings:
    starts = progress(range(0, len(pixels), BATCH), label)
    parts = [embedder.embed(see(pixels[start : start + BATCH])) for start in starts]
    heads = {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes}
    return Embeddings(np.concatenate([part.vectors for part in parts]), heads)


def _edited(starts: list[Path], made: Edited, output: Path) -> Path:
    """A checkpoint with the mean of others' weights, then changed."""
    network, checkpoint = load_checkpoint(starts[0])
    weights = [load_checkpoint(each)[0].state_dict() for each in starts]
    mean = {name: _mean([each[name] for each in weights]) for name in weights[0]}
    network.load_state_dict({name: made.edit(each) if each.dim() >= 2 else each for name, each in mean.items()})
    with atomic_folder(output) as aside:
        labels = checkpoint.identity.attribute_labels
        save_checkpoint(aside, network, checkpoint.recipe, labels, load_file(starts[0] / BACKBONE))
    return output


def _mean(values: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(values).mean(dim=0) if values[0].is_floating_point() else values[0]
