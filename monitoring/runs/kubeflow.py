"""Runs on Kubeflow Pipelines, through its own client."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kfp.dsl.component_factory  # noqa: F401  # first: within a task, KFP's client alone imports itself in a circle
import kfp_server_api
from urllib3.exceptions import HTTPError

from lookalike.errors import BackendUnavailable, PipelineError
from monitoring.notice import Failure
from monitoring.runs.arguments import check_request
from monitoring.runs.patient_client import PatientClient
from monitoring.runs.protocol import ListedRun, Phase, RunRequest, RunState

EXPERIMENT = "lookalike"
TIMEOUT_SECONDS = 30.0
PHASES: dict[str, Phase] = {
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "failed",
}
"""Every other state of a run is on its way to one of these."""


class KubeflowTrigger:
    """An API server, such as http://ml-pipeline.kubeflow:8888; runs stand in one experiment.

    KFP lets any number of runs have the same name, so `start` looks for the name first. A server that is silent for
    `timeout_seconds` counts as one that does not answer.
    """

    def __init__(
        self,
        api: str,
        pipelines: Path,
        experiment: str = EXPERIMENT,
        namespace: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.api, self.pipelines, self.experiment, self.namespace = api, pipelines, experiment, namespace
        self.timeout_seconds = timeout_seconds
        self._opened: tuple[PatientClient, str] | None = None

    def start(self, request: RunRequest) -> str:
        package = check_request(self.pipelines, request)
        found = self.find(request.name)
        if found is not None:
            return found
        client, experiment = self._client()
        arguments = dict(request.arguments)
        run = self._ask(lambda: client.run_pipeline(experiment, request.name, str(package), params=arguments))
        return str(run.run_id)

    def state(self, run_id: str) -> RunState:
        client, _ = self._client()
        return _state(self._ask(lambda: client.get_run(run_id)))

    def find(self, name: str) -> str | None:
        newest = self._list(1, name)
        return str(newest[0].run_id) if newest else None

    def runs(self, most: int = 20) -> list[ListedRun]:
        """The newest runs of the experiment."""
        return [ListedRun(run.run_id, run.display_name, _state(run), str(run.created_at)) for run in self._list(most)]

    def cancel(self, run_id: str) -> None:
        """Ask a run to end. Raises PipelineError for an id nobody knows."""
        client, _ = self._client()
        self._ask(lambda: client.terminate_run(run_id))

    def failures(self, run_id: str) -> tuple[Failure, ...]:
        """The innermost tasks of a run that have failed by now, with their pods."""
        client, _ = self._client()
        run = self._ask(lambda: client.get_run(run_id))
        tasks = (run.run_details.task_details if run.run_details else None) or []
        failed = [task for task in tasks if task.state in ("FAILED", "SYSTEM_ERROR")]
        around = {task.parent_task_id for task in failed}
        return tuple(_failure(task) for task in failed if task.task_id not in around)

    def schedule(self, request: RunRequest, cron: str) -> str:
        """Run a pipeline again and again (cron with six fields, seconds first); the schedule of that name is replaced.

        The new one stands before the old ones are removed: a kill in between leaves both until the next call, and two
        watches decide as one. One run at a time, and none for a time that was missed.
        """
        package = check_request(self.pipelines, request)
        client, experiment = self._client()
        before = self._schedules(request.name)
        made = self._ask(
            lambda: client.create_recurring_run(
                experiment,
                request.name,
                cron_expression=cron,
                max_concurrency=1,
                no_catchup=True,
                params=dict(request.arguments),
                pipeline_package_path=str(package),
            )
        )
        for old in before:
            self._ask(lambda old=old: client.delete_recurring_run(old))  # type: ignore[misc]
        return str(made.recurring_run_id)

    def _schedules(self, name: str) -> list[str]:
        client, experiment = self._client()
        wanted = {"experiment_id": experiment, "page_size": 100, "filter": _named(name)}
        answer = self._ask(lambda: client.list_recurring_runs(**wanted))
        return [str(one.recurring_run_id) for one in answer.recurring_runs or ()]

    def _list(self, most: int, name: str | None = None) -> list[Any]:
        client, experiment = self._client()
        wanted: dict[str, Any] = {"experiment_id": experiment, "page_size": most, "sort_by": "created_at desc"}
        if name is not None:
            wanted["filter"] = _named(name)
        return list(self._ask(lambda: client.list_runs(**wanted)).runs or ())

    def _client(self) -> tuple[PatientClient, str]:
        """The client and the experiment's id; opened by the first call, so that an absent server is told in words."""
        if self._opened is None:
            self._opened = self._ask(self._open)
        return self._opened

    def _open(self) -> tuple[PatientClient, str]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)  # that it speaks to servers of version 2 only
            named = {"namespace": self.namespace} if self.namespace else {}
            client = PatientClient(self.api, self.timeout_seconds, **named)
        return client, str(client.create_experiment(self.experiment, namespace=self.namespace).experiment_id)

    def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except kfp_server_api.ApiException as error:
            said = _message(error)
            if error.status is not None and 400 <= error.status < 500:
                raise PipelineError(f"the KFP server at {self.api} refuses: {said} ({error.status})") from error
            raise BackendUnavailable(f"the KFP server at {self.api} failed: {said} ({error.status})") from error
        except (HTTPError, TimeoutError, ConnectionError) as error:
            raise BackendUnavailable(f"no KFP server answers at {self.api}: {error}") from error


def _named(name: str) -> str:
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _state(run: Any) -> RunState:
    phase = PHASES.get(str(run.state), "running")
    seconds = (run.finished_at - run.created_at).total_seconds() if run.finished_at and run.created_at else None
    hours = seconds / 3600 if seconds is not None and phase != "running" else None
    return RunState(phase, _why(run) if phase == "failed" else "", hours)


def _why(run: Any) -> str:
    history: list[Any] = run.state_history or []
    said = [run.error, *(status.error for status in reversed(history))]
    return next((str(error.message) for error in said if error is not None and error.message), str(run.state))


def _failure(task: Any) -> Failure:
    reason = str(task.error.message) if task.error is not None and task.error.message else ""
    return Failure(task=str(task.display_name), reason=reason, log=f"pod {task.pod_name}" if task.pod_name else "")


def _message(error: kfp_server_api.ApiException) -> str:
    """The server's own sentence, where it gave one."""
    try:
        body: Mapping[str, Any] = json.loads(error.body or "{}")
    except (json.JSONDecodeError, TypeError):
        return str(error.reason)
    return str(body.get("message") or body.get("error") or error.reason)
