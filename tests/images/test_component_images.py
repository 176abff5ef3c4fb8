"""The component images' own install steps, run in an empty environment: compiled pipelines' tasks run in it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.cluster.image_steps import run_stage_here
from benchmarks.cluster.images import COMPONENT, UNWANTED
from lookalike import stages
from lookalike.storage import read_json
from tests.images.compiled_task import run_task

pytestmark = pytest.mark.slow

SMALL = {
    "encoder": {
        "config": {
            "model_type": "resnet",
            "layer_type": "basic",
            "embedding_size": 8,
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
        },
        "batch_norm": "train",
    },
    "preprocessing": {"height": 32, "width": 24},
    "dimension": 16,
    "thumbnail": [8, 6],
    "epochs": 1,
    "triplets_per_batch": 8,
}
"""A network that learns nothing in a second."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("component")


@pytest.fixture(scope="module")
def light(folder: Path) -> Path:
    return run_stage_here(COMPONENT, "base", folder / "image")


@pytest.fixture(scope="module")
def mined(light: Path, folder: Path) -> dict[str, Any]:
    """What the tasks before training make of a drawn shop, in the light image; the recipe is read there, too."""
    catalogue, shop = str(folder / "catalogue"), str(folder / "shop")
    stages.draw(catalogue, products=40, seed=1)
    read = run_task("read-delivery", light, folder / "delivery", catalogue=catalogue, workspace=shop)
    chosen = {"delivery": read["delivery"], "workspace": shop, "settings": read["validate"]}
    validated = run_task("validate-catalogue", light, folder / "validate", **chosen)["validated"]
    splits = run_task("split-catalogue", light, folder / "split", validated=validated)["splits"]
    inputs = {"validated": validated, "splits": splits}
    triplets = run_task("mine-triplets", light, folder / "mine", workspace=shop, **inputs)["triplets"]
    recipe = run_task("read-recipe", light, folder / "recipe", recipe=yaml.safe_dump(SMALL))
    return {**inputs, "triplets": triplets, **recipe}


def test_the_light_image_validates_splits_and_mines_without_pytorch(light: Path, mined: dict[str, Any]) -> None:
    assert (Path(mined["triplets"].uri) / "triplets.parquet").is_file()
    assert not [name for name in UNWANTED if list(light.glob(f"lib/python*/site-packages/{name}"))]


def test_the_train_image_trains_and_exports(light: Path, mined: dict[str, Any], folder: Path) -> None:
    train = run_stage_here(COMPONENT, "train", folder / "image")  # goes on from the light one, as the Dockerfile does
    learnt = run_task("train-model", train, folder / "train", workspace=str(folder / "shop"), **mined)
    inputs = {"checkpoint": learnt["checkpoint"], "validated": mined["validated"], "splits": mined["splits"]}
    exported = run_task("export-model", train, folder / "export", **inputs)["exported"]
    (model,) = Path(exported.uri).rglob("model.onnx")
    assert model.parents[1].name == read_json(Path(exported.uri) / "model.json")["name"]
