"""The promotion gate: may the challenger be released, and why.

A first release must clear absolute floors and, where it was trained from pretrained weights, beat the frozen
backbone. Later ones must not be worse than the champion by more than the tolerances; an equal challenger
passes, since it may know newer products. Whichever it is, it must not have trained on what it is measured on.
Every rule is judged, so that the reasons name all that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.errors import EvaluationError
from lookalike.evaluation.bootstrap import Estimate, estimate_difference, estimate_mean
from lookalike.evaluation.cost import CostComparison, judge_cost
from lookalike.evaluation.figures import COARSE, FINE, RECALL, in_vertical, query_verticals
from lookalike.evaluation.guardrails import Guardrail, Verdict, guardrail, judge, number
from lookalike.evaluation.leakage import Leak, judge_leaks
from lookalike.evaluation.measure import Evaluation, Measured
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.recent import RecentComparison
from lookalike.evaluation.settings import GateSettings
from lookalike.evaluation.truth import Truth


@dataclass(frozen=True)
class Evidence:
    """What is known beside the answers to the frozen queries."""

    leaks: Sequence[Leak] | None
    """What the challenger was trained on and is measured on; None where it does not say what it was trained on."""
    recent: RecentComparison | None = None
    """Both models on labelled recent traffic; None where there is none."""
    cost: CostComparison | None = None
    """Time and size of both exported models; None where the challenger is not exported."""
    alarms: tuple[str, ...] = ()
    """Why the data that the challenger learned from must be looked at by a person first, a sentence each."""


CLEAN = Evidence(leaks=())
"""Nothing known against the challenger."""


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
    evidence: Evidence = CLEAN,
) -> Promotion:
    """Judge a challenger against the champion, or against floors and the frozen baseline where there is none.

    All evaluations must have answered the same queries. Raises EvaluationError otherwise.
    """
    if champion is None:
        verdicts = _floors(challenger, settings)
        if baseline is not None:
            verdicts.append(_beats_baseline(challenger, baseline))
    else:
        rails = [_recall(challenger, champion, settings), *_verticals(challenger, champion, truth, settings)]
        rails += [*_heads(challenger, champion, settings), *_recent(evidence.recent, settings)]
        verdicts = [_precision(challenger, champion, settings), *judge(rails, settings.guard_confidence)]
        verdicts += [*_lost_heads(challenger, champion), *_little_traffic(evidence.recent, settings)]
        verdicts += judge_cost(evidence.cost, settings)
    verdicts += [judge_leaks(evidence.leaks), *(Verdict(False, alarm) for alarm in evidence.alarms)]
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
                passed, f"{_words(metric, queries)} is {number(found, '')} and {comparison} the floor of {floor:.3f}"
            )
        )
    return verdicts


def _beats_baseline(challenger: Evaluation, baseline: Evaluation) -> Verdict:
    found = _difference(challenger, baseline, CATALOGUE, FINE)
    passed = found.interval is not None and found.interval[0] > 0
    beats = "beats" if passed else "does not clearly beat"
    return Verdict(passed, f"{_words(FINE, CATALOGUE)} {beats} the frozen backbone: difference {number(found)}")


def _precision(challenger: Evaluation, champion: Evaluation, settings: GateSettings) -> Verdict:
    found = _difference(challenger, champion, CATALOGUE, FINE)
    passed = found.interval is not None and found.interval[0] >= -settings.precision_tolerance
    may = "stays above" if passed else "may fall below"
    return Verdict(
        passed,
        f"{_words(FINE, CATALOGUE)} differs from the champion's by {number(found)}, which {may} "
        f"the tolerated {-settings.precision_tolerance:+.3f}",
    )


def _recall(challenger: Evaluation, champion: Evaluation, settings: GateSettings) -> Guardrail:
    ours, theirs = _same_queries(challenger, champion, DAMAGED)
    values = (ours.values[RECALL], theirs.values[RECALL])
    return guardrail(_words(RECALL, DAMAGED), settings.recall_tolerance, values, ours.resamples)


def _verticals(challenger: Evaluation, champion: Evaluation, truth: Truth, settings: GateSettings) -> list[Guardrail]:
    ours, theirs = _same_queries(challenger, champion, CATALOGUE)
    rails = []
    for vertical in query_verticals(ours, truth):
        own, other = (in_vertical(each.values[FINE], each, truth, vertical) for each in (ours, theirs))
        level = float(np.nanmean(other)) if np.isfinite(other).any() else 0.0
        tolerance = min(settings.vertical_tolerance, settings.vertical_share * level)
        rails.append(guardrail(f"{_words(FINE, CATALOGUE)} within {vertical}", tolerance, (own, other), ours.resamples))
    return [rail for rail in rails if rail.difference.n >= settings.vertical_queries]


def _heads(challenger: Evaluation, champion: Evaluation, settings: GateSettings) -> list[Guardrail]:
    ours, theirs = _same_queries(challenger, champion, CATALOGUE)
    both = [name for name in _head_metrics(theirs) if name in ours.values]
    rails = [
        guardrail(_head(name), settings.head_tolerance, (ours.values[name], theirs.values[name]), ours.resamples)
        for name in both
    ]
    return [rail for rail in rails if rail.difference.n]  # of an attribute nobody knows nothing can be told


def _lost_heads(challenger: Evaluation, champion: Evaluation) -> list[Verdict]:
    ours, theirs = _same_queries(challenger, champion, CATALOGUE)
    lost = [name for name in _head_metrics(theirs) if name not in ours.values]
    return [
        Verdict(False, f"{_head(name)}: the champion tells the attribute, the challenger does not") for name in lost
    ]


def _head_metrics(measured: Measured) -> list[str]:
    return [name for name in measured.values if name.startswith("head_")]


def _head(metric: str) -> str:
    return f"accuracy of the head for {metric.removeprefix('head_').removesuffix('_accuracy')}"


def _recent(recent: RecentComparison | None, settings: GateSettings) -> list[Guardrail]:
    if recent is None or recent.answers < settings.recent_answers:
        return []
    values = (recent.challenger, recent.champion)
    return [guardrail("gain on labelled recent traffic", settings.recent_tolerance, values, recent.resamples)]


def _little_traffic(recent: RecentComparison | None, settings: GateSettings) -> list[Verdict]:
    """Said, so that nobody takes the gate for having looked."""
    answers = 0 if recent is None else recent.answers
    if answers >= settings.recent_answers:
        return []
    return [
        Verdict(
            True, f"recent traffic decides nothing: {answers} labelled answers, {settings.recent_answers} are needed"
        )
    ]


def _difference(challenger: Evaluation, other: Evaluation, queries: str, metric: str) -> Estimate:
    ours, theirs = _same_queries(challenger, other, queries)
    return estimate_difference(ours.values[metric], theirs.values[metric], ours.resamples)


def _same_queries(challenger: Evaluation, other: Evaluation, queries: str) -> tuple[Measured, Measured]:
    ours, theirs = challenger.sets[queries], other.sets[queries]
    if list(ours.queries.photos.products) != list(theirs.queries.photos.products):
        raise EvaluationError(f"the models answered different {queries} queries; a gate compares the same ones")
    return ours, theirs


def _words(metric: str, queries: str) -> str:
    """`fine_precision_at_4` on `damaged` as a reader says it."""
    name, _, k = metric.replace("known_item", "known-item").rpartition("_at_")
    return f"{name.replace('_', ' ')}@{k} on {queries} photos"
