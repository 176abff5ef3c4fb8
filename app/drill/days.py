"""The days of a drill: traffic is asked, deliveries arrive, the watch looks at the end of each.

Time is simulated from the day after the model was born, so that its age is no reason for anything.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.drill.delivery import write_delivery
from app.drill.drilled import Drilled
from app.drill.pool import Pool, draw_photos
from app.drill.result import Said, WatchedWindow
from app.drill.scenario import ORDINARY, Scenario, Shift
from app.drill.service import DAY, Service, Traffic
from app.drill.stand_in import StandIn
from app.drill.watchers import alerts_said, delivery_said, drift_said, validation_said
from app.drill.watching import DrillWatch
from lookalike.stages import Settings
from monitoring.age import model_born

SECOND = timedelta(seconds=1)
REFUSED = "The delivery was refused, so the watch ended with its validate stage."


@dataclass(frozen=True)
class Asked:
    """How long, how much, from which draw."""

    windows: int = 6
    queries: int = 500
    """Searches per window."""
    seed: int = 0

    @property
    def before(self) -> int:
        """Windows without the shift."""
        return self.windows // 3


class Days:
    """One drill's days, in order."""

    def __init__(
        self,
        drilled: Drilled,
        standing: StandIn,
        pool: Pool,
        scenario: Scenario,
        asked: Asked,
        settings: Settings,
    ) -> None:
        self._drilled, self._shop, self._pool = drilled, standing.shop, pool
        self._scenario, self._asked, self._settings = scenario, asked, settings
        self._service = Service(drilled, standing)
        self._watch = DrillWatch(standing, settings, drilled.shop.root)
        self._begin = model_born(standing.shop.releases, standing.release) + DAY
        self._catalogue: Path | None = None if pool.kept_out else drilled.catalogue.folder
        self._delivered: tuple[Said, ...] = ()

    def early(self, rows: int) -> None:
        """The release's first day: early traffic, which the watch will keep."""
        if rows:
            self._service.answer(self._photos(ORDINARY, rows, 0), self._begin)

    def window(self, number: int) -> WatchedWindow:
        """One day of traffic and the watch at its end."""
        begin, shift = self._begin + number * DAY, self._shift(number)
        traffic = self._service.answer(self._photos(shift, self._asked.queries, number), begin, shift.silent)
        if shift != ORDINARY and number == self._asked.before + 1:
            self._deliver(shift)
        if any(said.watcher == "validation" and said.spoke for said in self._delivered):
            return self._unwatched(number, begin, traffic)
        watched = self._watch.watch(number, begin + DAY - SECOND, self._catalogue)
        found, decision = watched.drift, watched.decision
        return WatchedWindow(
            number=number,
            begin=begin,
            shifted=shift != ORDINARY,
            traffic=traffic,
            outcome=found.outcome,
            drifted=found.drifted,
            score=found.score,
            threshold=found.threshold,
            moved=tuple(found.moved),
            said=(*drift_said(found), alerts_said(traffic), *self._delivered),
            action=decision.action,
            reasons=decision.reasons,
            started=tuple(run.name for run in watched.started),
        )

    def _shift(self, number: int) -> Shift:
        since, lasting = number - self._asked.before, self._scenario.shift.windows
        return self._scenario.shift if since >= 1 and (lasting is None or since <= lasting) else ORDINARY

    def _photos(self, shift: Shift, count: int, number: int) -> list[bytes]:
        return draw_photos(self._pool, shift, count, [self._asked.seed, number])

    def _deliver(self, shift: Shift) -> None:
        """The newest catalogue from now on: the released one, or what the scenario makes of it."""
        self._catalogue = self._drilled.catalogue.folder
        if shift.delivery is None:
            return
        folder = self._shop.root / "delivery"
        write_delivery(self._drilled.catalogue, shift.delivery, folder, self._asked.seed)
        self._delivered = (validation_said(folder, self._shop.validated, self._settings),)
        if not self._delivered[0].spoke:
            self._catalogue = self._shop.validated
            self._delivered += (delivery_said(self._drilled, self._shop.validated, self._settings),)

    def _unwatched(self, number: int, begin: datetime, traffic: Traffic) -> WatchedWindow:
        return WatchedWindow(
            number=number,
            begin=begin,
            shifted=True,
            traffic=traffic,
            outcome="not watched",
            drifted=False,
            score=None,
            threshold=None,
            moved=(),
            said=(alerts_said(traffic), *self._delivered),
            action="watch",
            reasons=(REFUSED,),
            started=(),
        )
