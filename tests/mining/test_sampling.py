"""Mining by sampled candidates keeps the facts of mining by complete lists, and comes close in what it draws."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from lookalike.mining import sampling
from lookalike.mining.proposals import ANYWHERE, WITHIN, propose
from lookalike.mining.sampling import sample_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import MinedTriplets
from tests.mining.naive import Small, random_catalogue, small_catalogues, steadily
from tests.mining.test_multilevel import mined


def long_tailed(count: int) -> Small:
    """Five verticals and five attributes, common values and rare ones, a third unknown."""
    rng = np.random.default_rng(3)
    codes = np.minimum(rng.geometric(0.4, (count, 5)) - 1, 6)
    codes[rng.random(codes.shape) < 0.3] = -1
    verticals = np.minimum(rng.geometric(0.5, count) - 1, 4)
    return Small(verticals.astype(np.int32), codes.astype(np.int32), np.ones(5, np.float32))


def sampled(shop: Small, workers: int = 1, **settings: object) -> MinedTriplets:
    chosen = MiningSettings.model_validate(settings)
    return sample_levels(shop.labels(chosen), np.full(len(shop.codes), -1), chosen, workers)


@steadily
@given(small_catalogues(least=3, most=40))
def test_a_group_proposes_other_products_that_share_all_its_attributes(shop: Small) -> None:
    anchors = np.flatnonzero(shop.verticals == shop.verticals[0])
    found = propose(shop.labels(MiningSettings()), anchors, np.random.default_rng(0))
    for row, anchor in enumerate(anchors):
        for column, key in enumerate(found.keys.tolist()):
            attributes = [a for a in range(shop.codes.shape[1]) if key >> a & 1]
            values = shop.codes[anchor, attributes]
            alike = (shop.codes[anchors][:, attributes] == values).all(axis=1) & (values >= 0).all()
            others = set(anchors[alike]) - {anchor}
            times = slice(0, WITHIN) if key == 0 else slice(WITHIN + column - 1, WITHIN + column)
            drawn = set(found.candidates[row, times])
            assert drawn <= others if others else drawn == {-1}
            expected = (times.stop - times.start) / len(others) if others else 0
            assert found.chances[row, column] == pytest.approx(expected)
        anywhere = found.candidates[row, WITHIN + len(found.keys) - 1 :]
        assert len(anywhere) == ANYWHERE
        assert anchor not in anywhere
        assert anywhere.min() >= 0


def test_level_pairs_are_drawn_about_as_often_as_from_complete_lists() -> None:
    shop = long_tailed(3000)
    pairs = []
    for triplets in (mined(shop, triplets_per_anchor=8).triplets, sampled(shop).triplets):
        drawn = zip(triplets.positive_level.tolist(), triplets.negative_level.tolist(), strict=True)
        pairs.append({pair: count / len(triplets) for pair, count in Counter(drawn).items()})
    listed, found = pairs
    assert sum(abs(listed[pair] - found.get(pair, 0)) for pair in listed) / 2 < 0.03


def test_the_number_of_pairs_per_level_is_estimated_closely() -> None:
    shop = long_tailed(3000)
    counted, estimated = mined(shop), sampled(shop)
    assert (counted.exact, estimated.exact) == (True, False)
    assert abs(estimated.pairs_per_level.sum() - 3000 * 2999) <= 5  # rounded level by level
    np.testing.assert_allclose(estimated.pairs_per_level, counted.pairs_per_level, rtol=0.1, atol=0.002 * 3000 * 2999)


def test_candidates_of_a_level_come_up_alike_although_some_share_more_groups() -> None:
    # towards a product (0, 0, 0, 0) both kinds are at level 1, but one shares three groups with it and one a single
    two, one, none = [0, 0, 1, 1], [0, 1, -1, -1], [2, 2, 2, 2]
    codes = np.array([[0, 0, 0, 0]] * 60 + [two] * 200 + [one] * 200 + [none] * 200, np.int32)
    shop = Small(np.zeros(len(codes), np.int32), codes, np.ones(4, np.float32))
    triplets = sampled(shop, boundaries=(0.5, 1.0), triplets_per_anchor=100, seed=1).triplets
    ours = triplets.take((triplets.anchor < 60) & (triplets.negative_level == 1))
    of_two = np.mean(ours.negative < 260)
    assert len(ours) > 1000
    assert of_two == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_draws_the_same_triplets_on_any_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "CHUNK", 100)
    monkeypatch.setattr(sampling, "BLOCK", 500)
    shop = long_tailed(1500)
    alone, shared, other = sampled(shop), sampled(shop, workers=4), sampled(shop, seed=1)
    for ours, theirs in zip(vars(alone.triplets).values(), vars(shared.triplets).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert alone.triplets.negative.tolist() != other.triplets.negative.tolist()


def test_blocks_hold_whole_verticals_and_every_product_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "BLOCK", 300)
    verticals = random_catalogue(2000, 5).verticals * 7
    verticals[:40] = np.arange(40) + 100  # many small ones
    blocks = list(sampling._blocks(verticals))
    assert sorted(np.concatenate(blocks).tolist()) == list(range(2000))
    owners = [set(verticals[block].tolist()) for block in blocks]
    assert sum(map(len, owners)) == len(set.union(*owners))
    assert all(len(block) <= 300 or len(owner) == 1 for block, owner in zip(blocks, owners, strict=True))
