"""The component images' own install steps, run in an empty environment: compiled pipelines' tasks run in it."""

from pathlib import Path

import pytest
import yaml
from kfp.dsl import Artifact

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
def mined(light: Path, folder: Path) -> dict[str, Artifact]:
    """What the tasks before training make of a drawn shop, in the light image."""
    stages.draw(str(folder / "catalogue"), products=40, seed=1)
    validated = run_task(
        "validate-catalogue", light, folder / "validate", catalogue=str(folder / "catalogue"), catalogue_digest="drawn"
    )["validated"]
    splits = run_task("split-catalogue", light, folder / "split", validated=validated)["splits"]
    triplets = run_task(
        "mine-triplets", light, folder / "mine", validated=validated, splits=splits, workspace=str(folder / "shop")
    )["triplets"]
    return {"validated": validated, "splits": splits, "triplets": triplets}


def test_the_light_image_validates_splits_and_mines_without_pytorch(light: Path, mined: dict[str, Artifact]) -> None:
    assert (Path(mined["triplets"].uri) / "triplets.parquet").is_file()
    assert not [name for name in UNWANTED if list(light.glob(f"lib/python*/site-packages/{name}"))]


def test_the_train_image_trains_and_exports(light: Path, mined: dict[str, Artifact], folder: Path) -> None:
    train = run_stage_here(COMPONENT, "train", folder / "image")  # goes on from the light one, as the Dockerfile does
    shop = str(folder / "shop")
    checkpoint = run_task(
        "train-model", train, folder / "train", **mined, recipe=yaml.safe_dump(SMALL), workspace=shop
    )["checkpoint"]
    inputs = {name: mined[name] for name in ("validated", "splits")}
    exported = run_task("export-model", train, folder / "export", checkpoint=checkpoint, **inputs)["exported"]
    (model,) = Path(exported.uri).rglob("model.onnx")
    assert model.parents[1].name == read_json(Path(exported.uri) / "model.json")["name"]
