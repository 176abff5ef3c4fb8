"""A drill day by day: ordinary traffic, then the shift; drift, decision and the start of runs as the watch does them.

Runs start in memory and end at once: nothing is trained or indexed, and the release stays what it was. Time is
simulated from the day after the model was born, so that its age is no reason for anything.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.drill.delivery import write_delivery
from app.drill.drilled import Drilled
from app.drill.page import write_page
from app.drill.pool import Pool, draw_photos, smallest_vertical, unseen_photos
from app.drill.result import DRILL, Drill, Said, WatchedWindow, conclude, expectation
from app.drill.scenario import ORDINARY, Scenario, Shift
from app.drill.service import DAY, Service, Traffic
from app.drill.stand_in import StandIn, stand_in
from app.drill.watchers import alerts_said, delivery_said, drift_said, validation_said
from lookalike.config import load_config
from lookalike.errors import ConfigError
from lookalike.stages import settings_for
from lookalike.storage import atomic_folder, write_json
from monitoring import stages as watch_stages
from monitoring.age import model_born
from monitoring.decision import DECISION, decide_action
from monitoring.history import StartedRun
from monitoring.requests import request_for
from monitoring.result import DRIFT, DriftResult
from monitoring.rules import Decision
from monitoring.runs.memory import MemoryTrigger
from monitoring.runs.protocol import RunState
from monitoring.settings import DecisionSettings, DriftSettings
from monitoring.starting import start_asked
from pipelines.compile import COMPILED

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Asked:
    """What a person asked for."""

    windows: int = 6
    queries: int = 500
    seed: int = 0
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage settings, as every verb takes them."""

    @property
    def before(self) -> int:
        """Windows without the shift."""
        return self.windows // 3

    @property
    def watch(self) -> dict[str, dict[str, Any]]:
        """The settings; a window is what one simulated day brought, unless they say otherwise."""
        drift = {"hours": DAY / timedelta(hours=1), **self.settings.get("drift", {})}
        return {**self.settings, "drift": drift}


def run_drill(drilled: Drilled, scenario: Scenario, asked: Asked, output: Path) -> Drill:
    """Drill the release and write the folder `output`: a workspace of the drill's own, `drill.json`, `drill.html`.

    Raises ConfigError for an `output` that is there and no drill, for windows too few or too small, and for a
    catalogue that the scenario cannot be played with.
    """
    settings = _checked(asked, output)
    pool = unseen_photos(drilled.catalogue, drilled.trained)
    if scenario.shift.newcomers:
        pool = Pool(pool.contents, pool.verticals, pool.seasons, smallest_vertical(pool))
    with atomic_folder(output) as folder:
        days = _Days(drilled, stand_in(drilled, pool.kept_out, folder), pool, scenario, asked)
        days.early(settings.early_rows)
        windows = tuple(days.window(number) for number in range(1, asked.windows + 1))
        as_expected, conclusion = conclude(scenario, windows)
        drill = Drill(
            scenario=scenario.name,
            sentence=scenario.sentence,
            release_id=drilled.release.release_id,
            queries=asked.queries,
            seed=asked.seed,
            early=settings.early_rows,
            windows=windows,
            expected=expectation(scenario),
            as_expected=as_expected,
            conclusion=conclusion,
        )
        write_json(folder / DRILL, drill.model_dump(mode="json"))
        write_page(folder, drill)
    return drill


def _checked(asked: Asked, output: Path) -> DriftSettings:
    settings = settings_for(DriftSettings, asked.watch, "drift")
    if asked.windows < 3:
        raise ConfigError(f"{asked.windows} windows cannot show a shift; 3 is the fewest")
    if asked.queries < settings.min_rows:
        raise ConfigError(
            f"{asked.queries} queries are below drift.min_rows {settings.min_rows}, so nothing is measured"
        )
    if output.exists() and not (output / DRILL).is_file():
        raise ConfigError(f"{output} is there and holds no {DRILL}; a drill replaces nothing but an earlier drill")
    return settings


class _Days:
    """The drill's days in order."""

    def __init__(self, drilled: Drilled, standing: StandIn, pool: Pool, scenario: Scenario, asked: Asked) -> None:
        self.drilled, self.standing, self.pool, self.scenario, self.asked = drilled, standing, pool, scenario, asked
        self.shop = standing.shop
        self.release = self.shop.releases / standing.release.release_id
        self.service = Service(drilled, standing)
        self.runs = MemoryTrigger(COMPILED)
        self.begin = model_born(self.shop.releases, standing.release) + DAY
        self.catalogue: Path | None = None if pool.kept_out else drilled.catalogue.folder
        self.delivered: tuple[Said, ...] = ()

    def early(self, rows: int) -> None:
        """The release's first day: its early traffic, which the watch will keep."""
        if rows:
            self.service.answer(self._photos(ORDINARY, rows, 0), self.begin)

    def window(self, number: int) -> WatchedWindow:
        """One day of traffic and the watch at its end."""
        begin, shift = self.begin + number * DAY, self._shift(number)
        shifted = shift is not ORDINARY or (self.scenario.shift == ORDINARY and number > self.asked.before)
        photos = self._photos(shift, self.asked.queries, number)
        traffic = self.service.answer(photos, begin, shift.silent)
        if shift is not ORDINARY and number == self.asked.before + 1:
            self._deliver(shift)
        if any(said.watcher == "validation" and said.spoke for said in self.delivered):
            return self._unwatched(number, begin, shifted, traffic)
        result, decision, started = self._watched(number, begin + DAY - SECOND)
        return WatchedWindow(
            number=number,
            begin=begin,
            shifted=shifted,
            traffic=traffic,
            outcome=result.outcome,
            drifted=result.drifted,
            score=result.score,
            threshold=result.threshold,
            moved=tuple(result.moved),
            said=(*drift_said(result), alerts_said(traffic), *self.delivered),
            action=decision.action,
            reasons=decision.reasons,
            started=tuple(run.name for run in started),
        )

    def _shift(self, number: int) -> Shift:
        since, lasting = number - self.asked.before, self.scenario.shift.windows
        return self.scenario.shift if since >= 1 and (lasting is None or since <= lasting) else ORDINARY

    def _photos(self, shift: Shift, count: int, number: int) -> list[bytes]:
        return draw_photos(self.pool, shift, count, [self.asked.seed, number])

    def _deliver(self, shift: Shift) -> None:
        """Let the newest catalogue be another one from now on."""
        self.catalogue = self.drilled.catalogue.folder
        if shift.delivery is None:
            return
        delivery = write_delivery(self.drilled.catalogue, shift.delivery, self.shop.root / "delivery", self.asked.seed)
        said = validation_said(delivery, self.shop.validated, self.asked.settings)
        self.delivered = (said,)
        if not said.spoke:
            self.catalogue = self.shop.validated
            self.delivered = (said, delivery_said(self.drilled, self.shop.validated, self.asked.settings))

    # ---- the watch

    def _watched(self, number: int, now: datetime) -> tuple[DriftResult, Decision, list[StartedRun]]:
        """Drift, decision and starting, as the watch pipeline has them."""
        folder = self.shop.root / "windows" / f"{number:03d}"
        drift, decision = folder / "drift", folder / "decision"
        validated = str(self.catalogue or "")
        watch_stages.drift(
            str(drift),
            workspace=str(self.shop.root),
            now=now.isoformat(),
            settings=self.asked.watch,
            validated=validated,
        )
        rules = settings_for(DecisionSettings, self.asked.watch, "decide")
        history = self.shop.watch_history
        decide_action(drift, decision, self.release, history, rules, now, self.runs, self.catalogue)
        started = start_asked(
            history, self.runs, lambda run: request_for(run, self._arguments(), "", self.release.name)
        )
        for run in started:
            self.runs.end(run.run_id or "", RunState("succeeded", hours=rules.hours_per_retrain))
        return load_config(DriftResult, drift / DRIFT), load_config(Decision, decision / DECISION), started

    def _arguments(self) -> dict[str, Any]:
        """What a pipeline is given; checked against the compiled ones, and then nothing runs."""
        shop, catalogue = self.drilled.shop, str(self.catalogue or "")
        return {"catalogue": catalogue, "catalogue_digest": "", "workspace": str(shop.root), "milvus_uri": ""}

    def _unwatched(self, number: int, begin: datetime, shifted: bool, traffic: Traffic) -> WatchedWindow:
        """The watch pipeline ends where its validate stage refuses the delivery: nobody looks at drift."""
        return WatchedWindow(
            number=number,
            begin=begin,
            shifted=shifted,
            traffic=traffic,
            outcome="not watched",
            drifted=False,
            score=None,
            threshold=None,
            moved=(),
            said=(alerts_said(traffic), *self.delivered),
            action="watch",
            reasons=("The delivery was refused, so the watch ended with its validate stage.",),
            started=(),
        )
