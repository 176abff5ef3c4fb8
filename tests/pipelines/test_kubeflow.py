"""The real kfp.Client against a server held to KFP's own description."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from benchmarks.cluster.compiled import read_compiled
from lookalike.errors import BackendUnavailable, PipelineError
from monitoring import stages
from monitoring.notice import Failure
from monitoring.runs.kubeflow import KubeflowTrigger
from monitoring.runs.protocol import RunRequest
from pipelines.compiled import COMPILED
from tests.pipelines.fake_kfp.server import FakeKfp
from tests.pipelines.places import REFRESH, request

WATCH = {**REFRESH, "recipe": "epochs: 1"}


@pytest.fixture
def runs(kfp: FakeKfp) -> KubeflowTrigger:
    return KubeflowTrigger(kfp.url, COMPILED)


def test_a_run_carries_the_compiled_pipeline_and_its_arguments(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    run_id = runs.start(request())
    sent = kfp.store.runs.get(run_id)
    compiled, platform = read_compiled(COMPILED / "refresh_index.yaml")
    assert sent["pipeline_spec"]["pipeline_spec"]["root"]["dag"] == compiled["root"]["dag"]
    assert sent["pipeline_spec"]["platform_spec"] == platform, "claims, secrets and nodes travel with the run"
    assert sent["runtime_config"]["parameters"] == request().arguments
    experiment = kfp.store.experiments.get(sent["experiment_id"])
    assert (sent["display_name"], experiment["display_name"]) == ("refresh-1", "lookalike")


WITHIN_A_TASK = """
import json, sys
from pathlib import Path
from monitoring.runs.kubeflow import KubeflowTrigger
from monitoring.runs.protocol import RunRequest
api, pipelines, name, arguments = sys.argv[1:]
print(KubeflowTrigger(api, Path(pipelines)).start(RunRequest(name, "refresh_index", json.loads(arguments))))
"""


def test_a_task_of_a_pipeline_starts_runs_too(kfp: FakeKfp) -> None:
    """KFP sets a variable for its tasks by which half of the package is left out."""
    words = [sys.executable, "-c", WITHIN_A_TASK, kfp.url, str(COMPILED), "refresh-1", json.dumps(REFRESH)]
    within = {**os.environ, "_KFP_RUNTIME": "true"}
    task = subprocess.run(words, env=within, capture_output=True, text=True, check=False)
    assert task.stdout.splitlines()[-1:] == ["run-1"], task.stderr
    assert [run["display_name"] for run in kfp.store.runs.things.values()] == ["refresh-1"]


def test_what_failed_is_told_by_its_innermost_tasks(
    kfp: FakeKfp, runs: KubeflowTrigger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = runs.start(request())
    assert runs.failures(run_id) == ()
    error = {"code": 13, "message": "the disk is full"}
    kfp.store.runs.get(run_id)["run_details"] = {
        "task_details": [
            {"task_id": "1", "display_name": "refresh-index-steps", "state": "FAILED"},
            {
                "task_id": "2",
                "parent_task_id": "1",
                "display_name": "embed-shard",
                "state": "FAILED",
                "error": error,
                "pod_name": "refresh-7",
            },
            {"task_id": "3", "parent_task_id": "1", "display_name": "live-model", "state": "SUCCEEDED"},
        ]
    }
    failure = Failure(task="embed-shard", reason="the disk is full", log="pod refresh-7")
    assert runs.failures(run_id) == (failure,)
    monkeypatch.setenv("LOOKALIKE_KFP", kfp.url)
    stages.tell("refresh-index", "refresh-1", run_id, "FAILED", "", workspace=str(tmp_path))
    said = json.loads((tmp_path / "notices" / "refresh-1.json").read_text())
    assert said["failures"] == [failure.model_dump()], "the notice asks the server"


def test_a_run_that_was_accepted_although_the_answer_was_lost_is_found(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    kfp.fail("RunService_CreateRun", 504, after=True)
    with pytest.raises(BackendUnavailable, match=r"failed: .*told to fail \(504\)"):
        runs.start(request())
    assert runs.start(request()) == "run-1"
    assert len(kfp.store.runs.things) == 1


def test_what_the_server_refuses_is_said_in_its_words(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    kfp.fail("RunService_CreateRun", 400)
    with pytest.raises(PipelineError, match=r"refuses: RunService_CreateRun was told to fail \(400\)"):
        runs.start(request())
    assert not kfp.store.runs.things


def test_a_server_that_is_away_is_told_from_one_that_refuses() -> None:
    with pytest.raises(BackendUnavailable, match=r"no KFP server answers at http://127\.0\.0\.1:9"):
        KubeflowTrigger("http://127.0.0.1:9", COMPILED).find("x")


@pytest.mark.parametrize("operation", ["HealthzService_GetHealthz", "RunService_ListRuns", "RunService_CreateRun"])
def test_a_server_that_hangs_is_given_up_and_told_in_words(kfp: FakeKfp, operation: str) -> None:
    kfp.hang(operation)
    runs = KubeflowTrigger(kfp.url, COMPILED, timeout_seconds=0.2)
    with pytest.raises(BackendUnavailable, match=r"no KFP server answers at http://.*Read timed out.*0\.2"):
        runs.start(request())


def test_the_newest_run_of_a_name_is_the_one_that_counts(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    first = runs.start(request())
    copy = kfp.store.runs.add({**kfp.store.runs.get(first)}, state="RUNNING")  # a person cloned it
    assert runs.find("refresh-1") == copy["run_id"]


def test_a_schedule_is_replaced_and_misses_nothing_twice(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    asked = RunRequest("watch-shop", "watch", WATCH)
    first, second = runs.schedule(asked, "0 0 4 * * *"), runs.schedule(asked, "0 0 5 * * *")
    assert first != second
    (kept,) = kfp.store.schedules.things.values()
    assert kept["trigger"]["cron_schedule"]["cron"] == "0 0 5 * * *"
    assert (kept["max_concurrency"], kept["no_catchup"], kept["mode"]) == (1, True, "ENABLE")
    assert kept["runtime_config"]["parameters"] == WATCH


def test_a_schedule_with_a_misspelled_argument_is_refused_before_the_server_hears_of_it(
    kfp: FakeKfp, runs: KubeflowTrigger
) -> None:
    with pytest.raises(PipelineError, match="did you mean 'recipe'"):
        runs.schedule(RunRequest("watch-shop", "watch", {**WATCH, "recipes": ""}), "0 0 4 * * *")
    assert kfp.asked == []


def test_a_cancelled_run_has_failed(kfp: FakeKfp, runs: KubeflowTrigger) -> None:
    run_id = runs.start(request())
    runs.cancel(run_id)
    assert runs.state(run_id).reason == "CANCELED"
    assert [(run.name, run.state.phase) for run in runs.runs()] == [("refresh-1", "failed")]
    with pytest.raises(PipelineError, match=r"run run-9 not found. \(404\)"):
        runs.cancel("run-9")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/apis/v2beta1/jobs", None, 404),
        ("GET", "/apis/v2beta1/runs?experiment=1", None, 400),
        ("POST", "/apis/v2beta1/runs", {"name": "x"}, 400),
        ("POST", "/apis/v2beta1/runs", {"display_name": 3}, 400),
        ("PATCH", "/apis/v2beta1/runs", {"display_name": "x"}, 404),
        ("POST", "/apis/v2beta1/visualizations/n", {}, 501),
    ],
)
def test_the_fake_takes_nothing_that_the_description_does_not(
    kfp: FakeKfp, method: str, path: str, body: object, status: int
) -> None:
    answer = requests.request(method, kfp.url + path, json=body, timeout=10)
    assert answer.status_code == status, answer.text
    assert kfp.asked == []
