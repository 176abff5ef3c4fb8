"""The decide stage: `drift.json`, the history and the world in, `decision.json` out."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from lookalike.config import load_config
from lookalike.errors import ReleaseMismatch
from lookalike.release.manifest import Release
from lookalike.release.update_log import UpdateLog
from lookalike.storage import StageRecord, read_seal, run_stage, write_json
from monitoring.age import model_born
from monitoring.history import StartedRun, WatchHistory, alone, read_history, write_history
from monitoring.result import DRIFT, DriftResult
from monitoring.rules import Decision, Facts, decide
from monitoring.runs.protocol import Trigger
from monitoring.samples import read_release
from monitoring.settings import DecisionSettings
from monitoring.starting import settled
from monitoring.veto import read_veto

DECISION = "decision.json"
log = logging.getLogger(__name__)


def decide_action(
    drift: Path,
    output: Path,
    release: Path,
    history: Path,
    settings: DecisionSettings,
    now: datetime,
    runs: Trigger,
    catalogue: Path | None = None,
    veto: Path | None = None,
) -> StageRecord:
    """Decide once about the newest window, and remember in `history` what was seen and asked for.

    `drift` is the drift stage's folder, `release` the folder of the release in service, `catalogue` the
    newest validate output, `veto` a text file a person leaves to hold runs back (see `read_veto`). A run is
    asked for once: the history is written before this returns, so a watch that is restarted, or a second one,
    does not ask again. `runs` says first how earlier runs stand; those that failed are withdrawn. What is asked
    for here, `start_asked` starts. Raises ReleaseMismatch where drift was measured for another release than the
    one in service.
    """
    result = load_config(DriftResult, drift / DRIFT)
    serving = read_release(release)
    if result.release_id != serving.release_id:
        raise ReleaseMismatch(
            f"{drift} measured release {result.release_id[:12]}, in service is {serving.release_id[:12]}; "
            "detect drift against the release in service first"
        )
    facts = gather_facts(release, serving, catalogue, veto, now)
    with alone(history):
        before = settled(read_history(history), runs)
        decision = decide(result, before, facts, settings)
        record = _write_decision(drift, output, decision, before, settings, facts)
        write_history(history, _remember(before.seeing(result, settings.calm_windows), decision, now))
    log.info("%s: %s", decision.action, " ".join(decision.reasons))
    return record


def gather_facts(release: Path, serving: Release, catalogue: Path | None, veto: Path | None, now: datetime) -> Facts:
    """Read what the decision depends on beside drift."""
    return Facts(
        now=now,
        release_id=serving.release_id,
        model_born=model_born(release.parent, serving),
        released_catalogue=UpdateLog(release.parent, serving).catalogue_digest(),
        catalogue=read_seal(catalogue).content if catalogue is not None else None,
        veto=read_veto(veto) if veto is not None else None,
    )


def _remember(history: WatchHistory, decision: Decision, now: datetime) -> WatchHistory:
    if decision.run is None:
        return history
    run = StartedRun(name=decision.run, action=decision.action, causes=decision.causes, started=now)
    return history.starting(run)


def _write_decision(
    drift: Path, output: Path, decision: Decision, before: WatchHistory, settings: DecisionSettings, facts: Facts
) -> StageRecord:
    def work(folder: Path) -> dict[str, Any]:
        write_json(folder / DECISION, decision.model_dump(mode="json"))
        return decision.model_dump(mode="json")

    return run_stage(
        "decide_action",
        output,
        inputs={"drift": drift},
        settings={
            "settings": settings.model_dump(mode="json"),
            "history": before.model_dump(mode="json"),
            "facts": {name: str(value) for name, value in vars(facts).items()},
        },
        content=[DECISION],
        work=work,
    )
