"""The watch's verbs over plain paths and settings: what the command line and the pipeline components call."""

from datetime import UTC, datetime
from pathlib import Path

from lookalike.config import load_config
from lookalike.errors import ReleaseError
from lookalike.release.manifest import live_release
from lookalike.stages import NONE, Settings, settings_for
from lookalike.storage import StageRecord, read_json
from lookalike.workspace import Workspace


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
    drift: str, validated: str, output: str, *, workspace: str, now: str = "", settings: Settings = NONE
) -> StageRecord:
    """Decide between retrain, reindex and watch; a file named `veto` in the workspace holds runs back."""
    from monitoring.decision import decide_action
    from monitoring.settings import DecisionSettings

    shop = Workspace(Path(workspace))
    return decide_action(
        Path(drift),
        Path(output),
        live_folder(shop),
        shop.watch_history,
        settings_for(DecisionSettings, settings, "decide"),
        moment(now),
        catalogue=Path(validated),
        veto=shop.root / "veto",
    )


def action(decision: str) -> str:
    """ "retrain", "reindex" or "watch"."""
    return str(read_json(Path(decision) / "decision.json")["action"])


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
