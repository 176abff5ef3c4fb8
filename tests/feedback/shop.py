"""A small shop in service whose shoppers click: validated catalogue, splits, a release, both logs."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from lookalike.feedback.events import Feedback, feedback_table
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.release.promote import EXPORTED
from lookalike.search.query_log import LoggedQuery, query_log_table
from lookalike.storage import digest_json
from lookalike.workspace import Workspace
from tests.evaluation.shop import make_shop, make_splits
from tests.release import tiny

PRODUCTS = 24
"""p000 to p007 teach, the others measure."""


@dataclass
class ShopInService:
    """A workspace with all that feedback is collected from."""

    place: Workspace
    champion: str
    parts: int = 0

    @classmethod
    def make(cls, root: Path) -> "ShopInService":
        place = Workspace(root)
        make_splits(place.splits, make_shop(place.validated, PRODUCTS))
        release = Release.of(tiny.identity(0).fingerprint, digest_json("catalogue"), datetime.now(UTC))
        shutil.copytree(tiny.exported(), save_release(place.releases, release) / EXPORTED)
        switch_live(place.releases, release)
        return cls(place, release.release_id)

    def answer(self, name: str, asked: str, *hits: str) -> LoggedQuery:
        """An hour ago, with scores that fall from place to place."""
        scores = tuple(0.95 - 0.02 * place for place in range(len(hits)))
        when = datetime.now(UTC) - timedelta(hours=1)
        return LoggedQuery(when, self.champion, "m", 5.0, hits, None, scores, name, asked)

    def log(self, queries: Sequence[LoggedQuery], clicks: Sequence[tuple[str, str, int, str]]) -> None:
        """Write a part of either log; a click is (answer, product, place, session)."""
        received = datetime.now(UTC) - timedelta(minutes=30)
        events = [Feedback(received, None, name, hit, at, "click", "web", who) for name, hit, at, who in clicks]
        self.parts += 1
        parts = {self.place.query_log: query_log_table(list(queries)), self.place.feedback: feedback_table(events)}
        for folder, table in parts.items():
            day = folder / f"day={received.date().isoformat()}"
            day.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, day / f"part-{self.parts}.parquet")
