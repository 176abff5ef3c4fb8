"""The challenger goes when it is surely worse, and only then, however often one looks."""

import numpy as np
import pytest

from serving.live_comparison import Comparison, LiveGuardrails, Observed, judge_live

RAILS = LiveGuardrails()


def watched(challenger, champion, requests: int, seed: int = 0, rails: LiveGuardrails = RAILS) -> int | None:
    """After how many requests of each arm the challenger was rolled back; None for never."""
    rng, comparison = np.random.default_rng(seed), Comparison()
    for request in range(requests):
        comparison = comparison.after("champion", champion(rng), rails).after("challenger", challenger(rng), rails)
        if judge_live(comparison, rails).roll_back:
            return request + 1
    return None


def service(errors: float = 0.001, empty: float = 0.01, late: float = 0.02, top1: float = 0.8):
    def ask(rng: np.random.Generator) -> Observed:
        if rng.random() < errors:
            return Observed(failed=True, latency_ms=5)
        hits = 0 if rng.random() < empty else 10
        slow = 400.0 if rng.random() < late else 40.0
        return Observed(False, slow, hits, None if hits == 0 else float(np.clip(rng.normal(top1, 0.1), -1, 1)))

    return ask


def test_an_equal_challenger_stays_however_often_it_is_looked_at() -> None:
    assert [watched(service(), service(), 400, seed) for seed in range(15)] == [None] * 15


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"errors": 0.3}, "failed requests"),
        ({"empty": 0.4}, "empty answers"),
        ({"late": 0.5}, "later than 200 ms"),
        ({"top1": 0.2}, "top-1 cosine"),
    ],
)
def test_a_worse_challenger_goes_and_it_is_said_why(worse: dict[str, float], words: str) -> None:
    rng, comparison = np.random.default_rng(1), Comparison()
    for _ in range(600):
        comparison = comparison.after("champion", service()(rng), RAILS)
        comparison = comparison.after("challenger", service(**worse)(rng), RAILS)
    verdict = judge_live(comparison, RAILS)
    assert verdict.roll_back
    assert any(words in reason for reason in verdict.reasons)


def test_a_challenger_that_fails_always_goes_within_two_hundred_requests() -> None:
    gone = watched(service(errors=1.0), service(), 300)
    assert gone is not None
    assert gone <= 200


def test_nothing_seen_is_no_reason() -> None:
    assert not judge_live(Comparison(), RAILS).roll_back
