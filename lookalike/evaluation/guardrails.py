"""Guardrails: figures that must not have fallen, judged together so that chance stops no good challenger.

With twenty figures at 95 % each, one of them looks fallen in most comparisons of a model with itself. Their one-sided
p-values are therefore corrected together (Holm, Scandinavian Journal of Statistics 6, 1979, section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.bootstrap import Estimate, Resamples, cluster_sums, estimate_difference, replicate_means

EXACT = 16
"""Up to so many clusters that differ every choice of their signs is looked at; a normal distribution is too sure of
few: of three that all fell it says 0.04, where one in eight is true."""
ROUNDING = 1e-9
"""Sums of the same differences in another order may be so far apart."""


@dataclass(frozen=True)
class Verdict:
    """One rule's outcome in words."""

    passed: bool
    reason: str


@dataclass(frozen=True)
class Guardrail:
    """A figure of the challenger minus the champion's."""

    subject: str
    tolerance: float
    difference: Estimate
    chance: float
    """One-sided p-value: how often so low a difference comes about where nothing has fallen."""


def guardrail(
    subject: str, tolerance: float, values: tuple[NDArray[np.float64], NDArray[np.float64]], resamples: Resamples
) -> Guardrail:
    """Compare (Q,) values of the challenger with the champion's of the same queries."""
    ours, theirs = values
    found = estimate_difference(ours, theirs, resamples)
    return Guardrail(subject, tolerance, found, _chance(found, ours - theirs, resamples))


def judge(guardrails: Sequence[Guardrail], confidence: float) -> list[Verdict]:
    """Broken is a figure that has fallen beyond its tolerance and, after the correction, not by chance.

    A figure that nobody could judge is broken too.
    """
    corrected = holm([each.chance for each in guardrails])
    return [_verdict(each, chance, 1 - confidence) for each, chance in zip(guardrails, corrected, strict=True)]


def holm(chances: Sequence[float]) -> list[float]:
    """p-values corrected for their number: the family errs no more often than each of them is compared with."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    corrected, largest = [0.0] * len(chances), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = largest
    return corrected


def number(found: Estimate, sign: str = "+") -> str:
    """The value with n and interval, signed unless `sign` is empty."""
    if found.value is None:
        return f"unknown (n={found.n})"
    interval = f", interval {found.interval[0]:{sign}.3f} to {found.interval[1]:{sign}.3f}" if found.interval else ""
    return f"{found.value:{sign}.3f} (n={found.n}{interval})"


def _chance(found: Estimate, differences: NDArray[np.float64], resamples: Resamples) -> float:
    if found.value is None or found.interval is None:
        return 1.0  # of one cluster nothing is known about the spread
    differing = cluster_sums(np.nan_to_num(differences)[:, None], resamples)[:, 0]
    differing = differing[differing != 0]
    if len(differing) <= EXACT:
        return sign_flips(differing)
    # a percentile of the bootstrap's replicates would end at one in their number
    spread = float(np.nanstd(replicate_means(differences[:, None], resamples)))
    return NormalDist().cdf(found.value / spread) if spread else float(found.value >= 0)


def sign_flips(differences: NDArray[np.float64]) -> float:
    """How often (m,) differences sum to so little where each might as well have had the other sign; exact.

    Fisher's randomisation test of pairs (The Design of Experiments, 1935, section 21). 2**m sums are looked at.
    """
    sums = np.zeros(1)
    for difference in np.abs(differences):
        sums = np.concatenate([sums - difference, sums + difference])
    return float((sums <= differences.sum() + ROUNDING).mean())


def _verdict(each: Guardrail, chance: float, level: float) -> Verdict:
    found = each.difference
    if found.value is None:
        return Verdict(False, f"{each.subject} could not be compared with the champion's: {number(found)}")
    said = f"{each.subject} differs from the champion's by {number(found)}"
    if found.value >= -each.tolerance:
        return Verdict(True, f"{said}, within the tolerated {-each.tolerance:+.3f}")
    if chance > level:
        return Verdict(
            True, f"{said}, beyond the tolerated {-each.tolerance:+.3f} but perhaps by chance (p={chance:.2f})"
        )
    return Verdict(False, f"{said}, beyond the tolerated {-each.tolerance:+.3f} and not by chance (p={chance:.1g})")
