"""The watch of a drill: drift, decision and the start of runs, by the stages that the watch pipeline runs.

Runs start in memory and end at once: nothing is trained or indexed, and the release stays what it was.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.drill.stand_in import StandIn
from lookalike.config import load_config
from lookalike.stages import Settings, settings_for
from monitoring import stages
from monitoring.decision import DECISION, decide_action
from monitoring.history import StartedRun
from monitoring.requests import request_for
from monitoring.result import DRIFT, DriftResult
from monitoring.rules import Decision
from monitoring.runs.memory import MemoryTrigger
from monitoring.runs.protocol import RunRequest, RunState
from monitoring.settings import DecisionSettings
from monitoring.starting import start_asked
from pipelines.compiled import COMPILED


@dataclass(frozen=True)
class Watched:
    """What one watch came to."""

    drift: DriftResult
    decision: Decision
    started: tuple[StartedRun, ...]


def window_folder(number: int) -> Path:
    """Where a window's watch leaves its outputs, within the drill's workspace."""
    return Path("windows") / f"{number:03d}"


class DrillWatch:
    """Watches the stand-in day after day with one history."""

    def __init__(self, standing: StandIn, settings: Settings, workspace: Path) -> None:
        """`workspace` is the shop's own, which the runs' arguments name."""
        self._shop, self._settings, self._workspace = standing.shop, settings, workspace
        self._release = standing.shop.releases / standing.release.release_id
        self._runs = MemoryTrigger(COMPILED)

    def watch(self, number: int, now: datetime, catalogue: Path | None) -> Watched:
        """Look once, decide, and start what was decided; `catalogue` is the newest validate output."""
        folder = self._shop.root / window_folder(number)
        drift, decision, history = folder / "drift", folder / "decision", self._shop.watch_history
        places = {"workspace": str(self._shop.root), "validated": str(catalogue or "")}
        stages.drift(str(drift), **places, now=now.isoformat(), settings=self._settings)
        rules = settings_for(DecisionSettings, self._settings, "decide")
        decide_action(drift, decision, self._release, history, rules, now, self._runs, catalogue)
        started = start_asked(history, self._runs, lambda run: self._request(run, catalogue))
        for run in started:
            self._runs.end(run.run_id or "", RunState("succeeded", hours=rules.hours_per_retrain))
        found = load_config(DriftResult, drift / DRIFT), load_config(Decision, decision / DECISION)
        return Watched(*found, tuple(started))

    def _request(self, run: StartedRun, catalogue: Path | None) -> RunRequest:
        """Its arguments are checked against the compiled pipeline, as a real one's."""
        places = {"catalogue": str(catalogue or ""), "workspace": str(self._workspace)}
        return request_for(run, places, "", self._release.name)
