"""The promotion gate: may the challenger be released, and why.

A first release must clear absolute floors and, where it was trained from pretrained weights, beat the frozen
backbone. Later ones must not be worse than the champion by more than the tolerances; an equal challenger
passes, since it may know newer products. Every rule is judged, so that the reasons name all that is wrong.
"""

from dataclasses import dataclass

from lookalike.errors import EvaluationError
from lookalike.evaluation.bootstrap import Estimate, estimate_difference, estimate_mean
from lookalike.evaluation.figures import COARSE, FINE, RECALL, in_vertical, query_verticals
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.settings import GateSettings
from lookalike.evaluation.truth import Truth


@dataclass(frozen=True)
class Verdict:
    """One rule's outcome in words."""

    passed: bool
    reason: str


@dataclass(frozen=True)
class Promotion:
    """Whether the challenger may be released; one reason per rule, the broken ones first."""

    promote: bool
    reasons: tuple[str, ...]


def decide_promotion(
    challenger: Evaluation,
    champion: Evaluation | None,
    truth: Truth,
    settings: GateSettings,
    baseline: Evaluation | None = None,
) -> Promotion:
    """Judge a challenger against the champion, or against floors and the frozen baseline where there is none.

    All evaluations must have answered the same queries. Raises EvaluationError otherwise.
    """
    if champion is None:
        verdicts = _floors(challenger, settings)
        if baseline is not None:
            verdicts.append(_beats_baseline(challenger, baseline))
    else:
        verdicts = [_precision(challenger, champion, settings), _recall(challenger, champion, settings)]
        verdicts += _verticals(challenger, champion, truth, settings)
    ordered = sorted(verdicts, key=lambda verdict: verdict.passed)  # stable: broken rules first
    return Promotion(all(verdict.passed for verdict in verdicts), tuple(verdict.reason for verdict in ordered))


def _floors(challenger: Evaluation, settings: GateSettings) -> list[Verdict]:
    floors = (
        (CATALOGUE, FINE, settings.minimum_fine_precision),
        (CATALOGUE, COARSE, settings.minimum_coarse_precision),
        (DAMAGED, RECALL, settings.minimum_recall),
    )
    verdicts = []
    for queries, metric, floor in floors:
        measured = challenger.sets[queries]
        found = estimate_mean(measured.values[metric], measured.resamples)
        passed = found.value is not None and found.value >= floor
        comparison = "reaches" if passed else "is below"
        verdicts.append(
            Verdict(
                passed, f"{_words(metric, queries)} is {_number(found, '')} and {comparison} the floor of {floor:.3f}"
            )
        )
    return verdicts


def _beats_baseline(challenger: Evaluation, baseline: Evaluation) -> Verdict:
    found = _difference(challenger, baseline, CATALOGUE, FINE)
    passed = found.interval is not None and found.interval[0] > 0
    beats = "beats" if passed else "does not clearly beat"
    return Verdict(passed, f"{_words(FINE, CATALOGUE)} {beats} the frozen backbone: difference {_number(found)}")


def _precision(challenger: Evaluation, champion: Evaluation, settings: GateSettings) -> Verdict:
    found = _difference(challenger, champion, CATALOGUE, FINE)
    passed = found.interval is not None and found.interval[0] >= -settings.precision_tolerance
    may = "stays above" if passed else "may fall below"
    return Verdict(
        passed,
        f"{_words(FINE, CATALOGUE)} differs from the champion's by {_number(found)}, which {may} "
        f"the tolerated {-settings.precision_tolerance:+.3f}",
    )


def _recall(challenger: Evaluation, champion: Evaluation, settings: GateSettings) -> Verdict:
    found = _difference(challenger, champion, DAMAGED, RECALL)
    return _not_fallen(found, _words(RECALL, DAMAGED), settings.recall_tolerance)


def _verticals(challenger: Evaluation, champion: Evaluation, truth: Truth, settings: GateSettings) -> list[Verdict]:
    ours, theirs = challenger.sets[CATALOGUE], champion.sets[CATALOGUE]
    verdicts = []
    for vertical in query_verticals(ours, truth):
        values = [in_vertical(measured.values[FINE], measured, truth, vertical) for measured in (ours, theirs)]
        found = estimate_difference(values[0], values[1], ours.resamples)
        if found.n >= settings.vertical_queries:
            subject = f"{_words(FINE, CATALOGUE)} within {vertical}"
            verdicts.append(_not_fallen(found, subject, settings.vertical_tolerance))
    return verdicts


def _not_fallen(found: Estimate, subject: str, tolerance: float) -> Verdict:
    passed = found.value is not None and found.value >= -tolerance
    may = "within" if passed else "beyond"
    return Verdict(
        passed, f"{subject} differs from the champion's by {_number(found)}, {may} the tolerated {-tolerance:+.3f}"
    )


def _difference(challenger: Evaluation, other: Evaluation, queries: str, metric: str) -> Estimate:
    ours, theirs = challenger.sets[queries], other.sets[queries]
    if list(ours.queries.photos.products) != list(theirs.queries.photos.products):
        raise EvaluationError(f"the models answered different {queries} queries; a gate compares the same ones")
    return estimate_difference(ours.values[metric], theirs.values[metric], ours.resamples)


def _words(metric: str, queries: str) -> str:
    """`fine_precision_at_4` on `damaged` as a reader says it."""
    name, _, k = metric.replace("known_item", "known-item").rpartition("_at_")
    return f"{name.replace('_', ' ')}@{k} on {queries} photos"


def _number(found: Estimate, sign: str = "+") -> str:
    """The value with n and interval, signed unless `sign` is empty."""
    if found.value is None:
        return f"unknown (n={found.n})"
    interval = f", interval {found.interval[0]:{sign}.3f} to {found.interval[1]:{sign}.3f}" if found.interval else ""
    return f"{found.value:{sign}.3f} (n={found.n}{interval})"
