"""`lookalike pipeline submit, schedule, runs, cancel` against the fake server, as a person types them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from lookalike import stages
from lookalike.errors import ConfigError, LookalikeError
from tests.pipelines.fake_kfp.server import FakeKfp


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("drawn") / "catalogue"
    stages.draw(str(folder), products=8, seed=1)
    return str(folder)


def typed(*words: str) -> Result:
    """What the command line answers; errors that a person can put right are raised."""
    result = CliRunner().invoke(app, ["pipeline", *words])
    if isinstance(result.exception, LookalikeError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_a_submitted_run_is_listed_and_can_be_cancelled(kfp: FakeKfp, catalogue: str, tmp_path: Path) -> None:
    data = ["--catalogue", catalogue, "--workspace", str(tmp_path / "shop"), "--milvus", "http://milvus:19530"]
    said = typed("submit", "training", "--name", "first", "--api", kfp.url, *data).output
    assert f"first: run run-1 at {kfp.url}" in said
    typed("submit", "training", "--name", "first", "--api", kfp.url, *data)
    (run,) = kfp.store.runs.things.values()
    sent = run["runtime_config"]["parameters"]
    assert (sent["milvus_uri"], sent["workspace"]) == ("http://milvus:19530", str(tmp_path / "shop"))
    assert "catalogue_digest" not in sent, "the run reads the delivery itself, where its tasks are"
    assert "running" in typed("runs", "--api", kfp.url).output
    typed("cancel", "run-1", "--api", kfp.url)
    assert "failed: CANCELED" in typed("runs", "--api", kfp.url).output


def test_a_schedule_watches_with_the_server_as_tasks_reach_it(kfp: FakeKfp, catalogue: str, tmp_path: Path) -> None:
    data = ["--catalogue", catalogue, "--workspace", str(tmp_path / "shop"), "--milvus", "http://milvus:19530"]
    inside = ["--task-api", "http://ml-pipeline.kubeflow:8888", "--cron", "0 15 4 * * *"]
    typed("schedule", "--api", kfp.url, *inside, *data)
    (made,) = kfp.store.schedules.things.values()
    sent = made["runtime_config"]["parameters"]
    assert sent["api"] == "http://ml-pipeline.kubeflow:8888"
    assert "now" not in sent, "a scheduled watch looks at the present"
    assert made["trigger"]["cron_schedule"]["cron"] == "0 15 4 * * *"


def test_tasks_are_told_of_milvus_by_an_argument_or_by_the_cluster_s_settings(
    kfp: FakeKfp, catalogue: str, tmp_path: Path
) -> None:
    data = ["--catalogue", catalogue, "--workspace", str(tmp_path / "shop"), "--api", kfp.url]
    typed("submit", "refresh_index", "--name", "told", *data)
    (run,) = kfp.store.runs.things.values()
    assert run["runtime_config"]["parameters"]["milvus_uri"] == ""
    (tmp_path / "bare.yaml").write_text("registry: here.example\n")
    with pytest.raises(ConfigError, match="need --milvus, or MILVUS_URI in"):
        typed("submit", "refresh_index", "--name", "untold", *data, "--cluster", str(tmp_path / "bare.yaml"))


def test_a_run_is_placed_by_the_cluster_s_settings(kfp: FakeKfp, catalogue: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("registry: here.example\n")
    data = ["--catalogue", catalogue, "--workspace", str(tmp_path / "shop"), "--milvus", "http://milvus:19530"]
    typed("submit", "refresh_index", "--name", "x", "--api", kfp.url, *data, "--cluster", str(tmp_path / "own.yaml"))
    (run,) = kfp.store.runs.things.values()
    executors = run["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert all(one["container"]["image"].startswith("here.example/lookalike/") for one in executors)


def test_compiling_for_another_cluster_writes_its_pipelines(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("registry: here.example\n")
    typed("compile", "--output", str(tmp_path / "made"), "--cluster", str(tmp_path / "own.yaml"))
    assert "image: here.example/lookalike/train" in (tmp_path / "made" / "training.yaml").read_text()
