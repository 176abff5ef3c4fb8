"""The demo's steps in order: train and release, serve, ordinary traffic, shifted traffic, decision, retraining."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.demo.figures import decision_figure, drift_figure, stage_figure
from app.demo.pages import write_contact_sheet, write_report
from app.demo.plan import ORDINARY, SHIFTED, Plan
from app.demo.service import running_service, wait_for_release
from app.demo.story import Story
from app.demo.traffic import Answered, ask, draw_queries, found_at, test_photos
from app.local_run import outcome_run
from app.local_runner import PipelineRun
from app.local_services import milvus_for
from app.pipeline_runs import run_here, shared_arguments
from app.watching import watch_here
from lookalike import stages
from lookalike.catalog.products import load_catalogue
from lookalike.errors import BackendUnavailable, ReleaseError
from lookalike.evaluation.outputs import PROMOTION
from lookalike.search.query_log import read_query_log
from lookalike.storage import read_json
from lookalike.workspace import Workspace
from pipelines.training import training

LOG_SECONDS = 60.0
WATCHING = ("detect_drift", "decide_action")
"""Stages that a watch's own row tells of."""


@dataclass(frozen=True)
class Watch:
    """What one watch came to."""

    name: str
    drift: dict[str, Any]
    decision: dict[str, Any]
    drift_page: Path


class Demo:
    """One run of the whole loop; `run` is the table of contents."""

    def __init__(self, plan: Plan, story: Story) -> None:
        self.plan, self.shop, self.story = plan, plan.shop, story
        self.watches: list[Watch] = []
        self.answered: list[Answered] = []

    def run(self) -> None:
        """Run every step; artifacts land in the workspace."""
        forget_served(self.plan.shop)
        catalogue = self.plan.catalogue or self._draw_shop()
        with milvus_for(self.shop) as milvus_uri:
            plan = self.plan
            common = shared_arguments(self.shop, catalogue, plan.mapping, plan.limit, milvus_uri, plan.settings)
            with self.story.step("Training pipeline (KFP local runner)"):
                trained = self._run(training, {**common, "recipe": json.dumps(self.plan.recipe)})
            self._tell_stages(trained)
            self._require_release(trained)
            with self.story.step("Search service (KServe + Triton + Milvus + Feast)"):
                self._serve(trained, common, milvus_uri)
        with self.story.step("Pictures and report"):
            write_contact_sheet(self.plan.contact_sheet, trained, self.answered)
            write_report(self.plan.report, self.story, self.plan.contact_sheet, trained, self.watches)

    # ---- before and between

    def _draw_shop(self) -> str:
        record = stages.draw(str(self.shop.drawn_shop), products=600, seed=self.plan.seed)
        self.story.add("draw", record.seconds, stage_figure(record))
        return str(self.shop.drawn_shop)

    def _run(self, pipeline: Any, arguments: dict[str, Any]) -> PipelineRun:
        return run_here(self.shop, pipeline, arguments, self.story.say)

    def _tell_stages(self, run: PipelineRun, prefix: str = "") -> None:
        for record in (record for _, record in run.records if record.stage not in WATCHING):
            self.story.add(f"{prefix}{record.stage}", record.seconds, stage_figure(record))

    def _require_release(self, trained: PipelineRun) -> None:
        if not self._live():
            reasons = read_json(trained.outputs["evaluation"] / PROMOTION)["reasons"]
            raise ReleaseError(f"the gate held the model back, so there is nothing to serve: {'; '.join(reasons)}")

    # ---- serving and watching

    def _serve(self, trained: PipelineRun, common: dict[str, Any], milvus_uri: str) -> None:
        started = time.perf_counter()
        with running_service(self.shop, milvus_uri) as url:
            self.story.add("serve", time.perf_counter() - started, f"release {self._live()[:12]} ready at {url}")
            self._traffic(url, trained, ORDINARY, 1)
            self._watch("ordinary traffic", common)
            for number in (2, 3):
                self._traffic(url, trained, SHIFTED, number)
                self._watch(f"shifted traffic {number - 1}", common)
            if self.watches[-1].decision["action"] == "retrain":
                wait_for_release(url, self._live())
                self._traffic(url, trained, SHIFTED, 3, after=True)

    def _traffic(self, url: str, trained: PipelineRun, profile: str, number: int, after: bool = False) -> None:
        catalogue = load_catalogue(trained.outputs["validated"])
        photos = test_photos(catalogue, trained.outputs["splits"])
        queries = draw_queries(catalogue, photos, profile, self.plan.window, self.plan.seed + number)
        started = time.perf_counter()
        answered = ask(url, queries, f"queries {number}")
        seconds = time.perf_counter() - started
        name = f"queries, {'ordinary' if profile == ORDINARY else 'shifted'}{', after' if after else ''}"
        self.story.add(name, seconds, _traffic_figure(answered))
        self.story.say(f"  {name}: {_traffic_figure(answered)}")
        self.answered += answered
        self._wait_for_log(len(self.answered))

    def _wait_for_log(self, rows: int) -> None:
        """The service writes its log every few seconds; a watch wants to see all of the traffic."""
        deadline = time.monotonic() + LOG_SECONDS
        while len(read_query_log(self.shop.query_log)) < rows:
            if time.monotonic() > deadline:
                raise BackendUnavailable(f"{rows} queries were sent, the query log holds fewer: see {self.shop.logs}")
            time.sleep(0.2)

    def _watch(self, name: str, common: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat()
        started = time.perf_counter()
        asked = {**common, "recipe": json.dumps(self.plan.retrain_recipe), "now": now}
        came = watch_here(self.shop, asked, self.story.say)
        drift, decision = read_json(came.watched.outputs["drift"] / "drift.json"), came.decision
        self.watches.append(Watch(name, drift, decision, came.watched.outputs["drift"] / "drift.html"))
        self.story.add(f"watch, {name}", time.perf_counter() - started, drift_figure(drift))
        self.story.add("decide", 0.0, decision_figure(decision))
        self.story.say(f"  {drift_figure(drift)}\n  {decision_figure(decision)}")
        if came.outcome is not None:
            self._tell_stages(outcome_run(came.outcome), "again: ")

    def _live(self) -> str:
        return stages.champion(str(self.shop.root))


def forget_served(shop: Workspace) -> None:
    """Forget what an earlier run served and watched; trained artifacts stay in the pipeline's cache."""
    served = (shop.releases, shop.query_log, shop.feedback, shop.feature_store)
    for folder in (*served, shop.logs, shop.pipeline_runs):
        shutil.rmtree(folder, ignore_errors=True)
    shop.watch_history.unlink(missing_ok=True)


def _traffic_figure(answered: Sequence[Answered]) -> str:
    times = [one.milliseconds for one in answered]
    return (
        f"{found_at(answered, 1):.0%} found first, {found_at(answered, 5):.0%} among 5 "
        f"(n {len(answered)}); {np.median(times):.0f} ms median, {np.percentile(times, 95):.0f} ms p95"
    )
