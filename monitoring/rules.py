"""What to do about it: retrain, reindex or go on watching, with the reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lookalike.config import StrictConfig
from monitoring.episode import Episode
from monitoring.findings import Finding, asks
from monitoring.history import Action, WatchHistory
from monitoring.holding import held_back, under_way
from monitoring.result import DriftResult
from monitoring.settings import DecisionSettings
from monitoring.supply import too_much_lost, untaught_asks
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


def decide(drift: DriftResult, history: WatchHistory, facts: Facts, settings: DecisionSettings) -> Decision:
    """Weigh the newest window, the windows before it, the catalogue and the model's age.

    `history` may or may not hold the window yet. Nothing is written: record the decision's run with
    `history.starting` before starting it, so that its cause is not answered twice.
    """
    seen = history.seeing(drift, settings.calm_windows)
    retrain = [_drift_asks(drift, seen, settings), _age_asks(seen, facts, settings)]
    if drift.catalogue is not None:
        retrain.append(untaught_asks(drift.catalogue, seen, settings))
    reindex = _catalogue_asks(seen, facts, settings)
    reasons = tuple(finding.sentence for finding in [*retrain, reindex])
    retrain_causes, reindex_causes = _causes(retrain), _causes([reindex])
    if not (retrain_causes or reindex_causes):
        return Decision(action="watch", reasons=reasons)
    if waiting := _nothing_starts(drift, seen, facts, settings):
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


def _nothing_starts(drift: DriftResult, history: WatchHistory, facts: Facts, settings: DecisionSettings) -> str | None:
    """Why no run of either kind may start, in words: a veto, a run under way, a catalogue that lost too much."""
    if facts.veto is not None and facts.veto.stands(facts.now):
        return f"A person holds all runs back{facts.veto.term}: {facts.veto.reason}"
    changed = facts.catalogue is not None and facts.catalogue != facts.released_catalogue
    lost = too_much_lost(drift.catalogue, settings) if changed and drift.catalogue is not None else None
    return under_way(history) or lost


def _causes(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(cause for finding in findings for cause in finding.causes)


def _start(action: Action, causes: tuple[str, ...], reasons: tuple[str, ...], history: WatchHistory) -> Decision:
    """A run that could not be started keeps its name, so that one which started unnoticed is found under it."""
    failed = [run for run in history.withdrawn_for(causes[0]) if run.action == action and run.run_id is not None]
    attempt = f"-{len(failed) + 1}" if failed else ""
    return Decision(action=action, reasons=reasons, causes=causes, run=f"{action}-{causes[0]}{attempt}")


def _drift_asks(drift: DriftResult, history: WatchHistory, settings: DecisionSettings) -> Finding:
    episode = history.episode(drift.release_id)
    if episode is None:
        return Finding(drift.summary)
    lasting = f"The queries have drifted in {_count(episode)}, since {episode.since}"
    stands = f" {drift.sequence.words}." if drift.sequence is not None else ""
    if not episode.believed:
        return Finding(f"{lasting}, which is not believed yet.{stands}")
    moved = f" What moved: {'; '.join(drift.moved)}." if drift.moved else ""
    return asks(lasting, f"drift-{episode.id}", history, settings, f"{stands} {drift.summary}{moved}")


def _count(episode: Episode) -> str:
    return "one window" if episode.windows == 1 else f"{episode.drifted} of {episode.windows} windows"


def _age_asks(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> Finding:
    days = (facts.now - facts.model_born) / timedelta(days=1)
    if settings.max_age_days is None:
        return Finding(f"The model is {days:.0f} days old; no age is too old by the settings.")
    if days <= settings.max_age_days:
        return Finding(f"The model is {days:.0f} days old; {settings.max_age_days:g} are allowed.")
    what = f"The model is {days:.0f} days old, more than the {settings.max_age_days:g} allowed"
    return asks(what, f"age-{facts.release_id[:12]}", history, settings)


def _catalogue_asks(history: WatchHistory, facts: Facts, settings: DecisionSettings) -> Finding:
    if facts.catalogue is None:
        return Finding("No newer catalogue was looked at.")
    if facts.catalogue == facts.released_catalogue:
        return Finding("The catalogue is the one that was released.")
    what = f"The catalogue changed: {facts.catalogue[:12]} is not the released {facts.released_catalogue[:12]}"
    # With the release: a catalogue that comes back after another one is a change again.
    return asks(what, f"catalogue-{facts.catalogue[:12]}-{facts.release_id[:12]}", history, settings)
