"""A service's settings for a workspace, as `lookalike serve` makes them."""

from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from lookalike.workspace import Workspace
from serving.settings import ServingSettings

SHOP = Workspace(Path("runs/shop"))


def test_a_workspace_serves_its_own_photos_unless_they_are_elsewhere() -> None:
    assert ServingSettings.of_workspace(SHOP, "m.db").photos.catalogue == SHOP.root
    smaller = ServingSettings.of_workspace(SHOP, "m.db", photos={"side": 200}).photos
    assert (smaller.catalogue, smaller.side) == (SHOP.root, 200)
    elsewhere = ServingSettings.of_workspace(SHOP, "m.db", photos={"url": "https://cdn.example/{photo_id}"}).photos
    assert (elsewhere.catalogue, elsewhere.url) == (None, "https://cdn.example/{photo_id}")


def test_what_is_chosen_wins_over_the_workspace() -> None:
    chosen = ServingSettings.of_workspace(SHOP, "m.db", query_log=None, releases="elsewhere", overload={"threads": 2})
    assert (chosen.query_log, chosen.releases, chosen.overload.threads) == (None, Path("elsewhere"), 2)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"prot": 80}, "unknown setting 'prot'; accepted: .*http_port"),
        ({"http_port": 70000}, "http_port is 70000"),
        ({"overload": {"threads": 0}}, "overload.threads is 0"),
        ({"photos": {"url": "{colour}"}}, "photo_id"),
    ],
)
def test_a_wrong_setting_is_a_sentence(wrong: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        ServingSettings.of_workspace(SHOP, "m.db", **wrong)
