"""A month of a shop's traffic and feedback, honest or attacked, as the logs hold it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.gate_traffic import COARSE, FINE, LOOKED, OTHER, SHOWN
from benchmarks.drift.poison_shop import PoisonShop, unit
from lookalike.feedback.events import Feedback, feedback_table
from lookalike.feedback.joining import Joined, join_feedback
from lookalike.search.query_log import LoggedQuery, query_log_table

START = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 28
ANSWERS_PER_SESSION = 3


@dataclass(frozen=True)
class Market:
    """Everything that is searched and asked with: N products."""

    ids: NDArray[np.object_]
    vectors: NDArray[np.float32]
    codes: NDArray[np.int32]
    fine: tuple[int, ...]
    coarse: tuple[int, ...]

    @classmethod
    def of(cls, shop: PoisonShop) -> "Market":
        """The products that teach, and those of the test split."""
        truth, test = shop.gate.truth, shop.gate.gallery.products
        return cls(
            np.concatenate([shop.teaching.ids, shop.gate.ids().to_numpy(object)]),
            np.concatenate([shop.vectors(), unit(shop.base.embedded.gallery.vectors @ shop.learned)]),
            np.concatenate([shop.teaching.codes, truth.codes[test]]),
            truth.fine,
            truth.coarse,
        )

    def answers(self, asked: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(Q, K) products shown for (Q,) products asked with, best first and without themselves, and their cosines."""
        shown, scores = self._all_answers
        return shown[asked], scores[asked]

    @cached_property
    def _all_answers(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        scores = self.vectors @ self.vectors.T  # (N, N)
        np.fill_diagonal(scores, -2)
        shown = np.argsort(-scores, axis=1)[:, :SHOWN]
        return shown, np.take_along_axis(scores, shown, axis=1)


@dataclass(frozen=True)
class Visits:
    """Q answers and what was done with them."""

    asked: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    """(Q, K)."""
    sessions: list[str]
    times: list[datetime]
    forged: bool = False
    """Whether the events name answers that nobody was given."""


def honest(market: Market, count: int, rng: np.random.Generator) -> Visits:
    """Shoppers who look from the top and click what is alike."""
    asked = rng.integers(0, len(market.ids), count)
    shown, _ = market.answers(asked)
    fine, coarse = alike(market, asked, shown)
    wanted = np.where(fine, FINE, np.where(coarse, COARSE, OTHER))
    clicked = rng.random(shown.shape) < wanted * LOOKED
    return Visits(asked, clicked, [f"shopper {n // ANSWERS_PER_SESSION}" for n in range(count)], any_time(count, rng))


def alike(
    market: Market, asked: NDArray[np.int64], shown: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(Q, K) whether each product shown has the fine and the coarse attributes of the one asked with."""
    ours, theirs = market.codes[asked][:, None], market.codes[shown]  # (Q, 1, A), (Q, K, A)
    fine, coarse = ((ours == theirs)[:, :, list(columns)].all(axis=2) for columns in (market.fine, market.coarse))
    return fine, coarse


def promotion(market: Market, target: int, count: int, rng: np.random.Generator, sessions: int) -> Visits:
    """Whoever sells `target` asks with the products nearest to it and clicks it wherever it is shown."""
    near = np.argsort(-(market.vectors @ market.vectors[target]))[1:301]
    asked = rng.choice(near, count)
    shown, _ = market.answers(asked)
    return Visits(asked, shown == target, named_sessions(count, sessions), any_time(count, rng))


def against_order(market: Market, count: int, rng: np.random.Generator, sessions: int) -> Visits:
    """The last places are clicked, so that the model learns the opposite of what it knows."""
    clicked = np.zeros((count, SHOWN), bool)
    clicked[:, -3:] = True
    return Visits(
        rng.integers(0, len(market.ids), count), clicked, named_sessions(count, sessions), any_time(count, rng)
    )


def blind(market: Market, count: int, rng: np.random.Generator, sessions: int) -> Visits:
    """Places are clicked at random."""
    clicked = rng.random((count, SHOWN)) < 0.3
    return Visits(
        rng.integers(0, len(market.ids), count), clicked, named_sessions(count, sessions), any_time(count, rng)
    )


def logs(market: Market, visits: list[Visits]) -> Joined:
    """The visits as the service logs them and feedback is posted, joined by the library."""
    queries, events = [], []
    for part, each in enumerate(visits):
        shown, scores = market.answers(each.asked)
        for n, (product, time) in enumerate(zip(each.asked, each.times, strict=True)):
            name = f"{part}-{n}"
            hits, found = tuple(market.ids[shown[n]]), tuple(scores[n].tolist())
            queries.append(LoggedQuery(time, "r", "m", 5.0, hits, None, found, name, str(market.ids[product])))
            events += [
                Feedback(time + timedelta(seconds=20 + int(place)), None, f"forged {name}" if each.forged else name,
                         hits[place], int(place), "click", "shop", each.sessions[n])
                for place in np.flatnonzero(each.clicked[n])
            ]  # fmt: skip
    return join_feedback(feedback_table(events), query_log_table(queries))


def at_once(visits: Visits) -> Visits:
    """The same within one hour."""
    start = START + timedelta(days=DAYS // 2)
    times = [start + timedelta(seconds=3000 * n / len(visits.times)) for n in range(len(visits.times))]
    return Visits(visits.asked, visits.clicked, visits.sessions, times)


def named_sessions(count: int, sessions: int) -> list[str]:
    """Who made each of `count` visits, of so many attackers in turn."""
    return [f"attacker {n % sessions}" for n in range(count)]


def any_time(count: int, rng: np.random.Generator) -> list[datetime]:
    """When, within the month, in order."""
    seconds = np.sort(rng.random(count)) * DAYS * 86_400
    return [START + timedelta(seconds=float(second)) for second in seconds]
