"""The champion's look at what only the challenger was trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.evaluation.delivery import claimed_places, delivery_alarms
from lookalike.evaluation.new_products import SuspicionSettings
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.training.trained import TRAINED
from tests.evaluation.shop import make_shop

LABELS = {"colour": ["red", "green", "violet"], "dropped": ["a"]}
SETTINGS = EvaluationSettings(suspicion=SuspicionSettings(fewest=5))


def trained_on(folder: Path, ids: list[str]) -> Path:
    folder.mkdir(parents=True)
    pd.DataFrame({"product_id": ids, "sha256": ids}).to_parquet(folder / TRAINED)
    return folder


def test_claimed_values_are_places_among_the_models_labels(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 12)
    identity = MemoryEmbedder(attribute_labels=LABELS).identity
    places = claimed_places(catalogue, np.arange(12), identity)
    delivered = catalogue.products["attribute_colour"].map({"red": 0, "green": 1}).fillna(-1).astype(int)
    assert places["colour"].tolist() == delivered.tolist()
    assert places["dropped"].tolist() == [-1] * 12


@pytest.mark.parametrize("copied", [False, True])
def test_a_delivery_of_one_photo_over_and_over_alarms(tmp_path: Path, copied: bool) -> None:
    repeats = {f"p{number:03d}": "p012" for number in range(13, 24)} if copied else None
    catalogue = make_shop(tmp_path / "validated", 24, duplicates=repeats)
    ids = catalogue.products["product_id"].tolist()
    challenger = trained_on(tmp_path / "challenger", ids)
    trained_on(tmp_path / "champion" / CHECKPOINT, ids[:12])
    embedders = {"champion": MemoryEmbedder()}
    strict = SETTINGS.model_copy(update={"suspicion": SuspicionSettings(fewest=5, copy_similarity=0.99999)})
    found = delivery_alarms(challenger, tmp_path / "champion", catalogue, embedders, strict)
    assert bool(found) == copied


def test_a_model_that_does_not_say_what_it_saw_is_not_compared(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 12)
    challenger = trained_on(tmp_path / "challenger", catalogue.products["product_id"].tolist())
    embedders = {"champion": MemoryEmbedder()}
    assert delivery_alarms(challenger, tmp_path, catalogue, embedders, SETTINGS) == ()
    assert delivery_alarms(challenger, None, catalogue, embedders, SETTINGS) == ()
