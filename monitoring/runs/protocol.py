"""Where runs are started: three methods, and the same meaning everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Phase = Literal["running", "succeeded", "failed"]


@dataclass(frozen=True)
class RunRequest:
    """One run of one pipeline."""

    name: str
    """What makes it this run and no other: asking for the same name again starts nothing."""
    pipeline: str
    """Name of the compiled pipeline: training, refresh_index or watch."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Its inputs; JSON values."""


@dataclass(frozen=True)
class RunState:
    """How a run stands."""

    phase: Phase
    """`running` from the moment it is accepted; a run that was cancelled has failed."""
    reason: str = ""
    """Why it failed."""
    hours: float | None = None
    """How long it took; None while it runs."""


@dataclass(frozen=True)
class ListedRun:
    """A run as a person wants it listed."""

    run_id: str
    name: str
    state: RunState
    started: str
    """ISO 8601."""


class Trigger(Protocol):
    """Starts runs and says how they stand."""

    def start(self, request: RunRequest) -> str:
        """Start a run, or find the one of that name; returns its id.

        The arguments are checked first. Returns once the run is accepted, not when it ends. Not safe against another
        process that starts the same name in the same moment: hold a lock, as `monitoring.starting` does. Raises
        PipelineError for arguments the pipeline does not take, BackendUnavailable where nobody answers; the run may
        have been accepted all the same then, and asking again for the same name finds it.
        """
        ...

    def state(self, run_id: str) -> RunState:
        """How it stands. Raises PipelineError for an id nobody knows."""
        ...

    def find(self, name: str) -> str | None:
        """Id of the newest run of that name."""
        ...
