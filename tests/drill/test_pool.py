"""What is asked in a drill: each shift changes what it names, and nothing else."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.drill.pool import Pool, chances, commonest_season, draw_photos, sent, smallest_vertical, unseen_photos
from app.drill.scenario import ORDINARY, SCENARIOS, Shift, find_scenario
from lookalike.catalog.photo_quality import photo_header
from lookalike.damage.profiles import damage_photo
from lookalike.errors import CatalogueError, ConfigError
from lookalike.evaluation.queries import MIX
from tests.drill.shop import TRAINED, drilled_shop, photo

PHOTO = photo(7)
POOL = Pool(
    [photo(number) for number in range(6)],
    np.array(["shoes", "shoes", "shoes", "bags", "bags", "hats"], dtype=object),
    np.array(["summer", "summer", "winter", "summer", None, "winter"], dtype=object),
)


def test_ordinary_photos_are_damaged_as_the_evaluations_are() -> None:
    assert sent(PHOTO, ORDINARY, [3, 1, 4]) == damage_photo(PHOTO, MIX, [3, 1, 4])


def test_ordinary_photos_are_drawn_evenly() -> None:
    assert chances(POOL, ORDINARY).tolist() == [1 / 6] * 6


def test_a_season_mix_makes_the_commonest_season_rarer_and_nothing_else() -> None:
    assert commonest_season(POOL) == "summer"
    even, shifted = chances(POOL, ORDINARY), chances(POOL, Shift(season=0.25))
    times = shifted / even
    assert np.allclose(times / times[2], [0.25, 0.25, 1, 0.25, 1, 1])
    assert sent(PHOTO, Shift(season=0.25), [1]) == sent(PHOTO, ORDINARY, [1])


def test_a_vertical_that_is_kept_out_is_asked_for_only_by_newcomers() -> None:
    pool = replace(POOL, kept_out="bags")
    assert chances(pool, ORDINARY).tolist() == [0.25, 0.25, 0.25, 0, 0, 0.25]
    assert np.allclose(chances(pool, Shift(newcomers=0.2)), [0.2, 0.2, 0.2, 0.1, 0.1, 0.2])


@pytest.mark.parametrize("shift", [Shift(quality=30), Shift(damage="colour_cast"), Shift(damage="new_camera")])
def test_other_photos_show_the_same_products(shift: Shift) -> None:
    assert chances(POOL, shift).tolist() == chances(POOL, ORDINARY).tolist()
    assert sent(PHOTO, shift, [1]) != sent(PHOTO, ORDINARY, [1])


def test_compression_changes_the_quality_a_photo_is_sent_at() -> None:
    ordinary, coarse = (photo_header(sent(PHOTO, shift, [1])) for shift in (ORDINARY, Shift(quality=30)))
    assert coarse.jpeg_quality == pytest.approx(30, abs=1)
    assert ordinary.jpeg_quality == pytest.approx(92, abs=1)
    assert (coarse.width, coarse.height) == (ordinary.width, ordinary.height)


@pytest.mark.parametrize("name", ["purge", "poison", "outage", "none"])
def test_some_scenarios_leave_the_queries_as_they_are(name: str) -> None:
    shift = SCENARIOS[name].shift
    assert draw_photos(POOL, shift, 5, [0, 3]) == draw_photos(POOL, ORDINARY, 5, [0, 3])


def test_the_same_seed_draws_the_same_photos_and_another_window_others() -> None:
    assert draw_photos(POOL, ORDINARY, 8, [5, 1]) == draw_photos(POOL, ORDINARY, 8, [5, 1])
    assert draw_photos(POOL, ORDINARY, 8, [5, 1]) != draw_photos(POOL, ORDINARY, 8, [5, 2])


def test_every_scenario_differs_from_ordinary_traffic_in_what_it_is_named_after() -> None:
    expected = {
        "none": set(),
        "season": {"season"},
        "vertical": {"newcomers"},
        "compression": {"quality"},
        "colour": {"damage"},
        "camera": {"damage"},
        "purge": {"delivery"},
        "poison": {"delivery"},
        "outage": {"silent", "windows"},
    }
    names = [field.name for field in fields(Shift)]
    changed = {
        name: {field for field in names if getattr(scenario.shift, field) != getattr(ORDINARY, field)}
        for name, scenario in SCENARIOS.items()
    }
    assert changed == expected


def test_only_products_outside_the_training_set_are_asked_for(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path)
    pool = unseen_photos(drilled.catalogue, drilled.trained)
    unseen = [
        content for name, content in drilled.catalogue.photo_contents().items() if name[:4] not in drilled.trained
    ]
    assert sorted(pool.contents) == sorted(unseen)
    assert len(pool) == 60 - TRAINED
    everything = set(drilled.catalogue.products["product_id"])
    with pytest.raises(
        CatalogueError, match="0 photos are of products that the model never trained on; a drill needs 30"
    ):
        unseen_photos(drilled.catalogue, everything)


def test_the_smallest_vertical_with_photos_enough_is_the_one_kept_out(tmp_path: Path) -> None:
    drilled = drilled_shop(tmp_path)
    pool = unseen_photos(drilled.catalogue, drilled.trained)
    counts = pd.Series(pool.verticals).value_counts()
    assert counts[smallest_vertical(pool)] == counts[counts >= 10].min()
    with pytest.raises(ConfigError, match=r"no vertical of .* can be kept out"):
        smallest_vertical(POOL)


def test_a_shop_without_seasons_cannot_change_their_mix() -> None:
    for seasons in ([None] * 6, ["summer"] * 6):
        with pytest.raises(ConfigError, match="a new mix needs two"):
            chances(replace(POOL, seasons=np.array(seasons, dtype=object)), Shift(season=0.25))


def test_an_unknown_drill_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="there is no drill 'flood'; there are none, season, vertical"):
        find_scenario("flood")
