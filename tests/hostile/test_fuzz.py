"""Short fuzzing of photos and requests; `python -m benchmarks.serving --steps hostile` runs long ones."""

import pytest

from tests.hostile.photo_fuzz import decode_aside, photos
from tests.hostile.request_fuzz import fuzz_aside

MOST_MEGABYTES = 450
"""What the largest accepted photo takes; small mutated ones stay far below."""


def test_mutated_photos_are_decoded_or_refused_and_nothing_else():
    outcome = decode_aside(seed=0, count=2500)
    assert (outcome.photos, outcome.failures) == (2500, [])
    assert 250 < outcome.decoded < 2250, "the mutations are too harsh or too mild to reach the decoders"
    assert outcome.peak_megabytes < MOST_MEGABYTES
    assert outcome.slowest_seconds < 20


def test_one_seed_gives_one_sequence_of_photos():
    assert list(photos(3, 20)) == list(photos(3, 20))
    assert list(photos(3, 20)) != list(photos(4, 20))


@pytest.mark.slow
def test_no_generated_or_damaged_request_is_answered_by_an_unhandled_error():
    answers = fuzz_aside(seed=0, count=400)
    assert (answers.requests, answers.failures) == (400, [])
    assert answers.statuses["200"] > 5, "no request reaches the search"
    assert answers.statuses["400"] > 50
    assert answers.peak_megabytes < MOST_MEGABYTES
