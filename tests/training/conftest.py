"""A mined tiny shop and a recipe that trains on it in a second."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lookalike.mining.mine import mine
from lookalike.storage import StageRecord
from lookalike.training.fit import train
from lookalike.training.recipe import Recipe
from tests.mining.tiny_shop import tiny_products, write_shop
from tests.models.networks import TINY_RESNET

Train = Callable[..., StageRecord]


def tiny_recipe(**settings: object) -> Recipe:
    values = {
        "encoder": {"config": TINY_RESNET, "batch_norm": "train"},
        "preprocessing": {"height": 32, "width": 24},
        "dimension": 12,
        "thumbnail": (8, 6),
        "epochs": 2,
        "triplets_per_batch": 8,
        "device": "cpu",
    }
    return Recipe.model_validate(values | settings)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    write_shop(root, tiny_products())
    mine(root / "validated", root / "splits", root / "triplets")
    return root


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The environment that leads to a server that speaks S3."""
    from tests.training.object_storage import s3_server

    with s3_server() as environment:
        yield environment


@pytest.fixture
def trained(shop: Path, tmp_path: Path) -> Train:
    """Train a recipe on the shop into tmp_path/<name>."""

    def run(recipe: Recipe, name: str = "checkpoint", **options: object) -> StageRecord:
        return train(shop / "validated", shop / "splits", shop / "triplets", tmp_path / name, recipe, **options)

    return run
