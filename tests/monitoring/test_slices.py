"""Which part of the traffic moved, with queries that show it."""

import numpy as np

from monitoring.slices import Example, changed_slices, verticals_of
from tests.monitoring.shop import World, sample

WORLD = World(6, dimension=32)


def told(rows: int) -> tuple[Example, ...]:
    return tuple(Example(time=str(i), hits=(f"p{i}",)) for i in range(rows))


def test_the_slice_that_moved_comes_first_with_its_queries() -> None:
    reference, current = sample(WORLD, 400, 1), sample(WORLD, 300, 2)
    look = WORLD.vectors(1, 9)[0]
    current.vectors[:60] = look
    current.labels["colour"][:60] = "green"
    first = changed_slices(reference, current, None, told(300))[0]
    assert (first.field, first.value, first.n_reference, first.n_current) == ("colour", "green", 0, 60)
    assert (first.share_before, first.share_now) == (0.0, 0.2)
    assert first.moved > 0.5
    assert first.p_adjusted < 1e-6
    assert len(first.examples) == 5
    assert all(int(example.time) < 60 for example in first.examples)


def test_the_contributions_of_an_attribute_s_values_add_up_to_the_whole_shift() -> None:
    reference, current = sample(WORLD, 400, 1), sample(WORLD, 300, 2, shift=1.0)
    slices = changed_slices(reference, current, None, ())
    assert 0.95 < sum(each.moved for each in slices if each.field == "colour") < 1.3  # those against it count as none


def test_a_slice_that_keeps_its_share_may_look_different() -> None:
    reference, current = sample(WORLD, 600, 1), sample(WORLD, 600, 2)
    black = current.labels["colour"] == "black"
    current.vectors[black] = WORLD.vectors(600, 3, shift=2.0)[black]
    found = {each.value: each for each in changed_slices(reference, current, None, ()) if each.field == "colour"}
    assert found["black"].apart is not None
    assert found["white"].apart is not None
    assert found["black"].apart > 5 * max(found["white"].apart, 0.005)


def test_verticals_are_told_from_what_was_predicted() -> None:
    reference, current = sample(WORLD, 100, 1), sample(WORLD, 100, 2)
    verticals = {"black": "Shoes", "blue": "Shoes", "red": "Bags"}
    both = [verticals_of(side.labels["colour"], verticals) for side in (reference, current)]
    fields = {(each.field, each.value) for each in changed_slices(reference, current, (both[0], both[1]), ())}
    assert {("vertical", "Shoes"), ("vertical", "Bags")} <= fields
    assert np.sum(both[0] == None) == np.sum(reference.labels["colour"] == "white")  # noqa: E711  elementwise
