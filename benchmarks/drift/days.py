"""A simulated day of a watch: a window of its own, told to the decision as the watch tells it."""

from datetime import UTC, datetime, timedelta

from monitoring.result import DriftResult
from monitoring.sequence import SequenceState

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def told(day: int, release_id: str, state: SequenceState, alpha: float) -> DriftResult:
    """The queries of one day; the last minute is left out, so that days share none."""
    first = BEGIN + timedelta(days=day)
    return DriftResult(
        outcome="measured",
        drifted=state.recent[-1],
        summary="Drifted." if state.recent[-1] else "No drift.",
        release_id=release_id,
        model_fingerprint="model",
        window=f"day {day}",
        first=first.isoformat(),
        last=(first + timedelta(hours=23, minutes=59)).isoformat(),
        measured=first.isoformat(),
        n_reference=1000,
        n_current=1000,
        excluded={},
        alpha=alpha,
        detector="joint",
        sequence=state,
    )
