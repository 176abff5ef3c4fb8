"""A delivery is named by its content: by all of it, and by nothing else."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from lookalike import stages
from lookalike.catalog.deliveries import Delivery, delivery_digest, find_delivery, note_delivery
from lookalike.catalog.thresholds import ValidationSettings
from lookalike.errors import CatalogueError, ConfigError
from lookalike.stages import settings_by_task
from tests.catalog.tiny_shop import MAPPING, photo, row, rows, write_shop

PLAIN = ValidationSettings()


def digest(folder: Path, settings: ValidationSettings = PLAIN) -> str:
    return delivery_digest(Delivery(catalogue=str(folder)), settings)


@pytest.fixture(params=["photos in the table", "photos beside it"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    if request.param == "photos in the table":
        write_shop(folder, rows(3))
        return folder
    (folder / "photos").mkdir(parents=True)
    for number in range(3):
        (folder / "photos" / f"{number}.jpg").write_bytes(photo(number))
    write_shop(folder, [row(number, photo=f"photos/{number}.jpg") for number in range(3)])
    return folder


def test_neither_place_nor_time_matters(shop: Path, tmp_path: Path) -> None:
    before = digest(shop)
    shutil.copytree(shop, tmp_path / "elsewhere" / "copy")
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))
    assert digest(tmp_path / "elsewhere" / "copy") == before


def test_the_mapping_s_layout_does_not_matter_and_what_it_says_does(shop: Path) -> None:
    before, mapping = digest(shop), shop / "mapping.yaml"
    mapping.write_text("# a comment\n" + mapping.read_text())
    assert digest(shop) == before
    mapping.write_text(yaml.safe_dump({**MAPPING, "required": ["colour"]}))
    assert digest(shop) != before


def test_a_changed_row_is_another_delivery(shop: Path) -> None:
    before = digest(shop)
    write_shop(shop, [row(number, price=99.0) for number in range(3)])
    assert digest(shop) != before


def test_a_photo_beside_the_table_counts_by_its_bytes(tmp_path: Path) -> None:
    write_shop(tmp_path, [row(0, photo="a.jpg"), row(1, photo="b.jpg")])
    (tmp_path / "a.jpg").write_bytes(photo(0))
    lost = digest(tmp_path)
    (tmp_path / "b.jpg").write_bytes(photo(1))
    whole = digest(tmp_path)
    stamp = (tmp_path / "b.jpg").stat()
    (tmp_path / "b.jpg").write_bytes(photo(2))
    os.utime(tmp_path / "b.jpg", (stamp.st_atime, stamp.st_mtime))
    assert len({lost, whole, digest(tmp_path)}) == 3


def test_a_lexicon_counts_by_what_stands_in_it(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop", rows(3))
    words = tmp_path / "words.yaml"
    said: dict[str, Any] = {"attributes": {"material": {"values": {"wool": ["wool"]}}}}
    words.write_text(yaml.safe_dump(said))
    settings = ValidationSettings(lexicon=str(words))
    before = digest(tmp_path / "shop", settings)
    words.write_text("# a comment\n" + yaml.safe_dump(said))
    assert digest(tmp_path / "shop", settings) == before != digest(tmp_path / "shop")
    words.write_text(yaml.safe_dump({"attributes": {"material": {"values": {"wool": ["wool", "woollen"]}}}}))
    assert digest(tmp_path / "shop", settings) != before


def test_a_noted_delivery_is_found_where_it_was_last_seen(shop: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    name = note_delivery(notes, Delivery(catalogue=str(shop)), PLAIN)
    shop.rename(tmp_path / "moved")
    assert note_delivery(notes, Delivery(catalogue=str(tmp_path / "moved")), PLAIN) == name
    assert find_delivery(notes, name, PLAIN).catalogue == str(tmp_path / "moved")


def test_a_delivery_that_changed_meanwhile_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop", rows(3))
    name = stages.note_delivery(str(tmp_path / "shop"), workspace=str(tmp_path))
    write_shop(tmp_path / "shop", rows(4))
    with pytest.raises(CatalogueError, match="changed while a pipeline was reading it"):
        stages.validate_delivery(name, str(tmp_path / "out"), workspace=str(tmp_path))
    assert not (tmp_path / "out").exists()


def test_an_unknown_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="nobody noted a delivery abc"):
        find_delivery(tmp_path, "abc", PLAIN)


def test_a_task_is_given_its_own_settings_alone() -> None:
    chosen = settings_by_task({"evaluate": {"seed": 7}, "index": {"batch": 5, "golden": 3}})
    assert chosen["evaluate"] == {"evaluate": {"seed": 7}}
    assert chosen["split"] == {}
    assert chosen["embed"] == {"index": {"batch": 5}}, "how recall is measured embeds nothing anew"


def test_a_misspelt_stage_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"the stages \['evalute'\]; there are validate, split"):
        settings_by_task({"evalute": {"seed": 7}})


def test_a_recipe_is_what_it_says_and_the_encoder_it_names(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    recipe = f"epochs: 3  # few\nencoder:\n  source: {tmp_path}\n"
    said, encoder = stages.read_recipe(recipe)
    assert stages.read_recipe(f"encoder: {{source: {tmp_path}}}\nepochs: 3\n") == (said, encoder)
    (tmp_path / "README").write_text("of no consequence")
    assert stages.read_recipe(recipe) == (said, encoder)
    (tmp_path / "weights.safetensors").write_bytes(b"other weights")
    assert stages.read_recipe(recipe)[1] != encoder
    assert stages.read_recipe("epochs: 3\nencoder: {config: {model_type: resnet}}")[1] == ""
