"""What speaks for a run, in words and by cause."""

from dataclasses import dataclass

from monitoring.history import WatchHistory
from monitoring.settings import DecisionSettings


@dataclass(frozen=True)
class Finding:
    """One reason to act or not."""

    sentence: str
    causes: tuple[str, ...] = ()
    """What a run would answer; without any it asks for none."""


def asks(what: str, cause: str, history: WatchHistory, settings: DecisionSettings, more: str = "") -> Finding:
    """A finding that asks for a run, unless one answers it already or too many have failed."""
    if closed := dealt_with(cause, history, settings):
        return Finding(f"{what}; {closed}")
    return Finding(f"{what}.{more}", (cause,))


def dealt_with(cause: str, history: WatchHistory, settings: DecisionSettings) -> str | None:
    """Why a cause asks for no run again, in words; None where it does."""
    answered, withdrawn = history.run_for(cause), history.withdrawn_for(cause)
    if answered is not None:
        return f"run {answered.name} of {answered.started:%Y-%m-%d %H:%M} answers it."
    if len(withdrawn) >= settings.most_attempts:
        return f"{len(withdrawn)} runs came to nothing, a person must look: {withdrawn[-1].note}"
    return None
