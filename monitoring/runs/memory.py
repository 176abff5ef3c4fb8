"""Runs that exist in memory only: for tests and trials."""

from pathlib import Path

from lookalike.errors import PipelineError
from monitoring.runs.arguments import check_request
from monitoring.runs.protocol import RunRequest, RunState


class MemoryTrigger:
    """Accepts what the others accept; a run stays under way until `end` is called."""

    def __init__(self, pipelines: Path) -> None:
        self.pipelines = pipelines
        self.requests: list[RunRequest] = []
        self._states: dict[str, RunState] = {}

    def start(self, request: RunRequest) -> str:
        check_request(self.pipelines, request)
        found = self.find(request.name)
        if found is not None:
            return found
        self.requests.append(request)
        run_id = f"run-{len(self.requests)}"
        self._states[run_id] = RunState("running")
        return run_id

    def state(self, run_id: str) -> RunState:
        if run_id not in self._states:
            raise PipelineError(f"there is no run '{run_id}'")
        return self._states[run_id]

    def find(self, name: str) -> str | None:
        places = [place for place, request in enumerate(self.requests, 1) if request.name == name]
        return f"run-{places[-1]}" if places else None

    def end(self, run_id: str, state: RunState) -> None:
        """Let a run come to its end."""
        self._states[run_id] = state
