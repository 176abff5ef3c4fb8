"""How a run ended, in words: what failed, why, where to look and what to do."""

from datetime import datetime
from pathlib import Path

from lookalike.config import StrictConfig
from lookalike.storage import write_json

KEPT_NOTICES = 500
"""The newest."""
AGAIN = (
    "Put it right and submit the run again under another name: what finished is taken from the cache. "
    "Until then the release in service stays as it is."
)
ADVICE = {
    "read-delivery": "See that the catalogue and its mapping are where the run's arguments say.",
    "validate-catalogue": "Its report names the rows and thresholds; correct the delivery, or settings.validate.",
    "train-model": "Where memory ran out take fewer triplets_per_batch in the recipe; training goes on where it was.",
    "evaluate-model": "Look for a split that is too small, or an alarm about the data.",
    "build-index": "See that the index (Milvus) answers and has room; nothing live was changed.",
    "merge-shards": "See that the index (Milvus) answers and has room; the shards are kept.",
    "materialise-features": "See that the online store (Redis) answers and has room; the release was not switched.",
    "release-model": "Run `lookalike verify` where keys are trusted; readers still see the release before.",
    "start-runs": "See that the KFP server answers; the next watch asks for the same runs again.",
}
"""What to look at first, by task."""


class Failure(StrictConfig):
    """One task that failed."""

    task: str
    """Its name in the pipeline."""
    reason: str = ""
    """What it said."""
    log: str = ""
    """Where the rest of it stands: a file, or a pod."""


class Notice(StrictConfig):
    """The content of a file in `notices`."""

    pipeline: str
    """Name of the pipeline."""
    run: str
    """Name of the run."""
    run_id: str
    """What the place it ran at calls it."""
    succeeded: bool
    """Whether every task before the notice did."""
    failures: tuple[Failure, ...] = ()
    """What failed, the innermost tasks; empty where nobody could be asked."""
    told: str = ""
    """What KFP itself says of the failure."""
    written: datetime
    """UTC."""

    @property
    def text(self) -> str:
        """The notice as a person reads it."""
        if self.succeeded:
            return f"{self.pipeline}: run {self.run} succeeded."
        lines = [f"{self.pipeline}: run {self.run} failed.", *map(_told, self.failures)]
        if not self.failures:
            lines.append(f"What failed: {self.told or 'not said'}. Look at run {self.run_id} in the interface.")
        advice = dict.fromkeys(ADVICE[one.task] for one in self.failures if one.task in ADVICE)
        return "\n".join([*lines, f"What to do: {' '.join([*advice, AGAIN])}"])


def keep_notice(folder: Path, notice: Notice) -> Path:
    """Write a notice down under the run's name, the text with it; the oldest beyond KEPT_NOTICES go."""
    path = folder / f"{notice.run}.json"
    write_json(path, {**notice.model_dump(mode="json"), "text": notice.text})
    kept = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in kept[KEPT_NOTICES:]:
        old.unlink(missing_ok=True)
    return path


def _told(failure: Failure) -> str:
    where = f" (log: {failure.log})" if failure.log else ""
    return f"What failed: {failure.task}: {failure.reason or 'no reason given'}{where}"
