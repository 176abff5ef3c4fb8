"""From what shoppers did to what the next model learns and is judged by."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from lookalike.stages.arguments import NONE, Settings, settings_for
from lookalike.storage import StageRecord, atomic_folder, read_seal
from lookalike.workspace import Workspace


def collect_feedback(
    validated: str, splits: str, output: str, *, workspace: str, champion: str = "", settings: Settings = NONE
) -> StageRecord:
    """Join clicks and purchases to the answers they are about, guard them, and part them for mining and the gate.

    `champion` is the release in service, by whose vectors mining filters clicks; empty before the first.
    """
    from lookalike.feedback.collect import CollectSettings, InService, collect_feedback
    from lookalike.release.promote import kept_export

    shop, chosen = Workspace(Path(workspace)), settings_for(CollectSettings, settings, "feedback")
    seen = InService(Path(validated), kept_export(shop.releases, champion)) if champion else None
    folders = (shop.query_log, shop.feedback, Path(splits), Path(output))
    return collect_feedback(*folders, datetime.now(UTC), chosen, seen)


def keep_feedback(feedback: str, *, workspace: str) -> str:
    """Keep collected feedback in the workspace under the digest of its content, which is returned.

    Empty where there is nothing to learn, to judge by or to be alarmed at. A later task that is given the digest is
    cached for as long as shoppers did nothing new, wherever and whenever the feedback was collected.
    """
    record = read_seal(Path(feedback))
    if not any(record.figures[name] for name in ("clicked", "labelled", "alarms")):
        return ""
    kept = Workspace(Path(workspace)).learned_feedback / record.content
    if not kept.is_dir():
        with atomic_folder(kept) as aside:
            shutil.copytree(feedback, aside, dirs_exist_ok=True)
    return record.content


def kept_feedback(name: str, *, workspace: str) -> str:
    """The folder of feedback that was kept under a name; empty for an empty one."""
    return str(Workspace(Path(workspace)).learned_feedback / name) if name else ""
