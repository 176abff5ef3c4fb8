"""The watch's verbs over plain paths and settings: what the command line and the pipeline components call."""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.config import load_config
from lookalike.errors import LookalikeError, ReleaseError
from lookalike.release.manifest import live_release
from lookalike.stages import NONE, Settings, settings_for
from lookalike.storage import StageRecord, read_json
from lookalike.workspace import Workspace

if TYPE_CHECKING:
    from monitoring.notice import Failure

log = logging.getLogger(__name__)
KFP, NOTICES, FAILURES = "LOOKALIKE_KFP", "LOOKALIKE_NOTICES", "LOOKALIKE_FAILURES"
"""Environment variables: the KFP API server; where notices are posted; the file in which a local runner notes what
failed."""


def drift(output: str, *, workspace: str, now: str = "", settings: Settings = NONE, validated: str = "") -> StageRecord:
    """Compare the query log with the live release's reference, of which its early traffic becomes a part.

    `validated` is the newest validate output, empty where none was made.
    """
    from monitoring.drift import detect_drift
    from monitoring.gauges import write_gauges
    from monitoring.result import DRIFT, DriftResult
    from monitoring.samples import read_release
    from monitoring.settings import DriftSettings
    from monitoring.sketch import keep_early_traffic

    shop = Workspace(Path(workspace))
    chosen = settings_for(DriftSettings, settings, "drift")
    folder, time = live_folder(shop), moment(now)
    keep_early_traffic(shop.query_log, read_release(folder), folder, chosen, time)
    catalogue = Path(validated) if validated else None
    record = detect_drift(shop.query_log, folder, Path(output), chosen, time, shop.watch_history, catalogue)
    write_gauges(shop.watch_gauges, load_config(DriftResult, Path(output) / DRIFT))
    return record


def decide(
    drift: str,
    validated: str,
    output: str,
    *,
    workspace: str,
    pipelines: str,
    api: str = "",
    now: str = "",
    settings: Settings = NONE,
) -> StageRecord:
    """Decide between retrain, reindex and watch; a file named `veto` in the workspace holds runs back.

    `api` is the KFP API server that runs are started at, empty for this machine; `pipelines` the compiled ones.
    """
    from monitoring.decision import decide_action
    from monitoring.runs.choose import open_runs
    from monitoring.settings import DecisionSettings

    shop = Workspace(Path(workspace))
    return decide_action(
        Path(drift),
        Path(output),
        live_folder(shop),
        shop.watch_history,
        settings_for(DecisionSettings, settings, "decide"),
        moment(now),
        open_runs(api, shop, _compiled(shop, pipelines)),
        catalogue=Path(validated),
        veto=shop.veto,
    )


def start(*, workspace: str, pipelines: str, arguments: Mapping[str, Any], recipe: str, api: str = "") -> list[str]:
    """Start the runs that decisions asked for; returns the ids of those that started.

    `arguments` are those that training and refresh_index share; a retrain takes `recipe`, too, and continues from the
    release in service.
    """
    from monitoring.requests import request_for
    from monitoring.runs.choose import open_runs
    from monitoring.starting import start_asked

    shop = Workspace(Path(workspace))
    live = live_folder(shop).name
    runs = open_runs(api, shop, _compiled(shop, pipelines))
    started = start_asked(shop.watch_history, runs, lambda run: request_for(run, arguments, recipe, live))
    return [run.run_id or "" for run in started]


def _compiled(shop: Workspace, shipped: str) -> Path:
    """The workspace's own compiled pipelines, for a cluster with settings of its own, or the shipped ones."""
    return shop.pipelines if shop.pipelines.is_dir() else Path(shipped)


def tell(pipeline: str, run: str, run_id: str, state: str, told: str, *, workspace: str) -> None:
    """Write the notice of a run's end into the workspace, and post that of a failure where an address is given.

    What failed is asked from the KFP server that LOOKALIKE_KFP names, or read where the runner on this machine notes
    it. LOOKALIKE_NOTICES is the address to post to; it lets everybody write there who knows it, so it is no argument.
    """
    from monitoring.notice import Notice, keep_notice
    from monitoring.posting import post_notice

    succeeded = state == "SUCCEEDED"
    notice = Notice(
        pipeline=pipeline,
        run=run,
        run_id=run_id,
        succeeded=succeeded,
        failures=() if succeeded else _failures(run_id),
        told=told,
        written=datetime.now(UTC),
    )
    keep_notice(Workspace(Path(workspace)).notices, notice)
    log.log(logging.INFO if notice.succeeded else logging.ERROR, "%s", notice.text)
    address = os.environ.get(NOTICES, "")
    if address and not notice.succeeded:
        post_notice(address, notice.text)


def _failures(run_id: str) -> "tuple[Failure, ...]":
    """What failed in a run that is still under way; empty where nobody knows."""
    from monitoring.notice import Failure

    noted, api = os.environ.get(FAILURES, ""), os.environ.get(KFP, "")
    if noted:
        return tuple(Failure(**one) for one in read_json(Path(noted))) if Path(noted).is_file() else ()
    if not api:
        return ()
    from monitoring.runs.kubeflow import KubeflowTrigger

    try:
        return KubeflowTrigger(api, Path()).failures(run_id)
    except LookalikeError as error:
        log.warning("what failed is not known: %s", error)
        return ()


def live_folder(shop: Workspace) -> Path:
    """Folder of the release in service. Raises ReleaseError before the first."""
    live = live_release(shop.releases)
    if live is None:
        raise ReleaseError(f"nothing is in service in {shop.root}; run the training pipeline first")
    return shop.releases / live.release_id


def moment(now: str) -> datetime:
    """The given ISO 8601 time, or the present; always with a time zone."""
    time = datetime.fromisoformat(now) if now else datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
