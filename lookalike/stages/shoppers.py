"""From what shoppers did to what the next model learns and is judged by."""

from datetime import UTC, datetime
from pathlib import Path

from lookalike.stages.arguments import NONE, Settings, settings_for
from lookalike.storage import StageRecord
from lookalike.workspace import Workspace


def collect_feedback(splits: str, output: str, *, workspace: str, settings: Settings = NONE) -> StageRecord:
    """Join clicks and purchases to the answers they are about, guard them, and part them for mining and the gate."""
    from lookalike.feedback.collect import CollectSettings, collect_feedback

    shop, chosen = Workspace(Path(workspace)), settings_for(CollectSettings, settings, "feedback")
    return collect_feedback(shop.query_log, shop.feedback, Path(splits), Path(output), datetime.now(UTC), chosen)
