"""What to do about it: retrain, reindex or go on watching, with the reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lookalike.config import StrictConfig
from monitoring.episode import Episode
from monitoring.history import Action, WatchHistory
from monitoring.holding import held_back, under_way
from monitoring.result import DriftResult
from monitoring.settings import DecisionSettings
from monitoring.veto import Veto


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
    veto: Veto | None = None
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
    seen = history.seeing(drift, settings.calm_windows)
    retrain = [_drift_asks(drift, seen, settings), _age_asks(seen, facts, settings)]
    reindex = _catalogue_asks(seen, facts, settings)
    reasons = tuple(finding.sentence for finding in [*retrain, reindex])
    retrain_causes, reindex_causes = _causes(retrain), _causes([reindex])
    if not (retrain_causes or reindex_causes):
        return Decision(action="watch", reasons=reasons)
    if facts.veto is not None and facts.veto.stands(facts.now):
        veto = f"A person holds all runs back{facts.veto.term}: {facts.veto.reason}"
        return Decision(action="watch", reasons=(veto, *reasons))
    if waiting := under_way(seen):
        return Decision(action="watch", reasons=(waiting, *reasons))
    held = held_back(seen, facts.now, settings) if retrain_causes else None
    if retrain_causes and held is None:
        return _start("retrain", (*retrain_causes, *reindex_causes), reasons, seen)  # a retrain indexes, too
    reasons = (held, *reasons) if held is not None else reasons
    return (
        _start("reindex", reindex_causes, reasons, seen)
        if reindex_causes
        else Decision(action="watch", reasons=reasons)
    )


def _causes(findings: Sequence[_Finding]) -> tuple[str, ...]:
    return tuple(finding.cause for finding in findings if finding.cause is not None)


def _start(action: Action, causes: tuple[str, ...], reasons: tuple[str, ...], history: WatchHistory) -> Decision:
    """A run that could not be started keeps its name, so that one which started unnoticed is found under it."""
    failed = [run for run in history.withdrawn_for(causes[0]) if run.action == action and run.run_id is not None]
    attempt = f"-{len(failed) + 1}" if failed else ""
    return Decision(action=action, reasons=reasons, causes=causes, run=f"{action}-{causes[0]}{attempt}")


def _asks(what: str, cause: str, history: WatchHistory, settings: DecisionSettings, more: str = "") -> _Finding:
    """A finding that asks for a run, unless one answers it already or too many have failed."""
    answered, withdrawn = history.run_for(cause), history.withdrawn_for(cause)
    if answered is not None:
        return _Finding(f"{what}; run {answered.name} of {answered.started:%Y-%m-%d %H:%M} answers it.")
    if len(withdrawn) >= settings.most_attempts:
        return _Finding(f"{what}; {len(withdrawn)} runs came to nothing, a person must look: {withdrawn[-1].note}")
    return _Finding(f"{what}.{more}", cause)


def _drift_asks(drift: DriftResult, history: WatchHistory, settings: DecisionSettings) -> _Finding:
    episode = history.episode(drift.release_id)
    if episode is None:
        return _Finding(drift.summary)
    if episode.drifted(settings.of_windows) < settings.drifted_windows:
        rule = f"{settings.drifted_windows} drifted of {settings.of_windows} start a retrain"
        return _Finding(f"{_lasting(episode)}; {rule}.")
    moved = f" What moved: {'; '.join(drift.moved)}." if drift.moved else ""
    return _asks(_lasting(episode), f"drift-{episode.id}", history, settings, f" {drift.summary}{moved}")


def _lasting(episode: Episode) -> str:
    if episode.windows == 1:
        return f"The queries have drifted in one window, since {episode.since}"
    known = len(episode.verdicts)
    return f"The queries have drifted in {sum(episode.verdicts)} of {known} windows, since {episode.since}"


def _age_asks(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> _Finding:
    days = (facts.now - facts.model_born) / timedelta(days=1)
    if settings.max_age_days is None:
        return _Finding(f"The model is {days:.0f} days old; no age is too old by the settings.")
    if days <= settings.max_age_days:
        return _Finding(f"The model is {days:.0f} days old; {settings.max_age_days:g} are allowed.")
    what = f"The model is {days:.0f} days old, more than the {settings.max_age_days:g} allowed"
    return _asks(what, f"age-{facts.release_id[:12]}", history, settings)


def _catalogue_asks(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> _Finding:
    if facts.catalogue is None:
        return _Finding("No newer catalogue was looked at.")
    if facts.catalogue == facts.released_catalogue:
        return _Finding("The catalogue is the one that was released.")
    what = f"The catalogue changed: {facts.catalogue[:12]} is not the released {facts.released_catalogue[:12]}"
    # With the release: a catalogue that comes back after another one is a change again.
    return _asks(what, f"catalogue-{facts.catalogue[:12]}-{facts.release_id[:12]}", history, settings)
