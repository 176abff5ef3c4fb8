"""What to do about it: retrain, reindex or go on watching, with the reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lookalike.config import StrictConfig
from monitoring.history import Action, Episode, WatchHistory
from monitoring.result import DriftResult
from monitoring.settings import DecisionSettings


@dataclass(frozen=True)
class Facts:
    """What the world looks like beside drift."""

    now: datetime
    release_id: str
    """The release in service."""
    model_born: datetime
    """When the first release of the model in service was made: its age, whatever was indexed since."""
    released_catalogue: str
    """Digest of the catalogue the release holds, updates included."""
    catalogue: str | None
    """Digest of the newest validated catalogue; None when nobody looked."""
    veto: str | None
    """What a person wrote to hold every run back; None without a veto."""


class Decision(StrictConfig):
    """The content of `decision.json`."""

    action: Action
    """`retrain` (which also indexes), `reindex`, or `watch`: nothing to start."""
    reasons: tuple[str, ...]
    """Why, and why not the others; one sentence each."""
    causes: tuple[str, ...] = ()
    """What the run answers; one cause starts one run."""
    run: str | None = None
    """Name for the run to start; None for `watch`."""


@dataclass(frozen=True)
class _Finding:
    """One reason to act or not: `cause` is set when it asks for a run."""

    sentence: str
    cause: str | None = None


def decide(drift: DriftResult, history: WatchHistory, facts: Facts, settings: DecisionSettings) -> Decision:
    """Weigh the newest window, the windows before it, the catalogue and the model's age.

    `history` may or may not hold the window yet. Nothing is written: record the decision's run with
    `history.starting` before starting it, so that its cause is not answered twice.
    """
    seen = history.seeing(drift)
    retrain = [_drift_asks(drift, seen, settings), _age_asks(seen, facts, settings)]
    reindex = _catalogue_asks(seen, facts)
    reasons = tuple(finding.sentence for finding in [*retrain, reindex])
    retrain_causes, reindex_causes = _causes(retrain), _causes([reindex])
    if facts.veto is not None and (retrain_causes or reindex_causes):
        return Decision(action="watch", reasons=(f"A person holds all runs back: {facts.veto}", *reasons))
    held = _cooling_down(seen, facts, settings) if retrain_causes else None
    if held is not None:
        reasons = (held, *reasons)
    elif retrain_causes:
        return _start("retrain", (*retrain_causes, *reindex_causes), reasons)  # a retrain indexes, too
    return _start("reindex", reindex_causes, reasons) if reindex_causes else Decision(action="watch", reasons=reasons)


def _causes(findings: Sequence[_Finding]) -> tuple[str, ...]:
    return tuple(finding.cause for finding in findings if finding.cause is not None)


def _start(action: Action, causes: tuple[str, ...], reasons: tuple[str, ...]) -> Decision:
    return Decision(action=action, reasons=reasons, causes=causes, run=f"{action}-{causes[0]}")


def _drift_asks(drift: DriftResult, history: WatchHistory, settings: DecisionSettings) -> _Finding:
    episode = history.episode(drift.release_id)
    if drift.outcome != "measured" or not drift.drifted or episode is None:
        return _Finding(drift.summary)
    cause = f"drift-{episode.id}"
    answered = history.run_for(cause)
    if answered:
        return _Finding(f"{_lasting(episode)}; run {answered.name} of {answered.started:%Y-%m-%d %H:%M} answers it.")
    if episode.windows < settings.drifted_windows:
        return _Finding(f"{_lasting(episode)}; {settings.drifted_windows} in a row start a retrain.")
    moved = f" What moved: {'; '.join(drift.moved)}." if drift.moved else ""
    return _Finding(f"{_lasting(episode)}. {drift.summary}{moved}", cause)


def _lasting(episode: Episode) -> str:
    windows = "one window" if episode.windows == 1 else f"{episode.windows} windows in a row"
    return f"The queries have drifted in {windows}, since {episode.since}"


def _age_asks(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> _Finding:
    days = (facts.now - facts.model_born) / timedelta(days=1)
    if settings.max_age_days is None:
        return _Finding(f"The model is {days:.0f} days old; no age is too old by the settings.")
    if days <= settings.max_age_days:
        return _Finding(f"The model is {days:.0f} days old; {settings.max_age_days:g} are allowed.")
    cause = f"age-{facts.release_id[:12]}"
    answered = history.run_for(cause)
    if answered:
        return _Finding(f"The model is {days:.0f} days old; run {answered.name} answers it.")
    return _Finding(f"The model is {days:.0f} days old, more than the {settings.max_age_days:g} allowed.", cause)


def _catalogue_asks(history: WatchHistory, facts: Facts) -> _Finding:
    if facts.catalogue is None:
        return _Finding("No newer catalogue was looked at.")
    if facts.catalogue == facts.released_catalogue:
        return _Finding("The catalogue is the one that was released.")
    cause = f"catalogue-{facts.catalogue[:12]}"
    answered = history.run_for(cause)
    if answered:
        return _Finding(f"The catalogue changed; run {answered.name} of {answered.started:%Y-%m-%d %H:%M} answers it.")
    return _Finding(
        f"The catalogue changed: {facts.catalogue[:12]} is not the released {facts.released_catalogue[:12]}.", cause
    )


def _cooling_down(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> str | None:
    last = history.last_retrain()
    if last is None or facts.now - last >= timedelta(days=settings.cooldown_days):
        return None
    return f"A retrain started {last:%Y-%m-%d %H:%M}; none starts again within {settings.cooldown_days:g} days."
