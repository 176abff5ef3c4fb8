"""Processes that torchrun starts, on one machine or several, end with what one process would have learned."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from safetensors.torch import load_file

from lookalike.storage import read_seal
from lookalike.training.recipe import Recipe
from tests.training.conftest import Train, tiny_recipe
from tests.training.object_storage import BUCKET
from tests.training.test_distributed import WEIGHT_TOLERANCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 240


def shared_recipe() -> Recipe:
    encoder = {"config": tiny_recipe().encoder.config, "batch_norm": "frozen"}
    return tiny_recipe(encoder=encoder, epochs=3)  # 4 steps each


class Torchrun:
    """Workspaces of the tiny shop, and torchrun on them."""

    def __init__(self, shop: Path, root: Path) -> None:
        self._shop, self._root = shop, root
        (root / "recipe.yaml").write_text(shared_recipe().model_dump_json(), encoding="utf-8")

    def workspace(self, name: str) -> Path:
        return shutil.copytree(self._shop, self._root / name)

    def start(self, workspace: Path, *options: str, module: str = "app", **environment: str) -> subprocess.Popen:
        """`torchrun` with options of its own, training with a state saved every third step."""
        verb = ["train", "--workspace", str(workspace), "--recipe", str(self._root / "recipe.yaml")]
        command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", module, *verb, "--save-every", "3"]
        variables = os.environ | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        }
        variables |= {"TMPDIR": str(self._root)} | environment
        return subprocess.Popen(
            command, cwd=self._root, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


@pytest.fixture(scope="module")
def torchrun(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Torchrun:
    return Torchrun(shop, tmp_path_factory.mktemp("torchrun"))


@pytest.fixture(scope="module")
def on_two_machines(torchrun: Torchrun) -> list[tuple[Path, str]]:
    """A workspace of its own for each of two agents, which find one another at a rendezvous; both ended well."""
    meeting = f"127.0.0.1:{find_free_network_port()}"
    options = ("--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", meeting)
    places = [torchrun.workspace(f"machine{number}") for number in range(2)]
    agents = [torchrun.start(place, *options) for place in places]
    said = [agent.communicate(timeout=DEADLINE_SECONDS) for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], said
    return [(place, out) for place, (out, _) in zip(places, said, strict=True)]


def assert_close(one: Path, other: Path) -> None:
    """Within the tolerance that sums in another order need."""
    alone, together = (load_file(folder / "weights.safetensors") for folder in (one, other))
    for name, weights in alone.items():
        torch.testing.assert_close(together[name], weights, rtol=0, atol=WEIGHT_TOLERANCE)


def test_two_machines_learn_what_one_process_does_and_one_of_them_writes(
    on_two_machines: list[tuple[Path, str]], trained: Train, tmp_path: Path
) -> None:
    trained(shared_recipe(), "alone")
    [(writer, told)] = [(place, said) for place, said in on_two_machines if (place / "checkpoint").exists()]
    [silent] = [said for place, said in on_two_machines if place != writer]
    assert "train" in told and silent == ""
    assert_close(tmp_path / "alone", writer / "checkpoint")
    for place, _ in on_two_machines:
        assert not [
            path for path in place.rglob("*") if ".partial" in path.name or path.parent.name == "training_state"
        ]


def test_a_killed_process_is_started_again_and_the_end_is_the_same_bytes(
    torchrun: Torchrun, on_two_machines: list[tuple[Path, str]], s3: dict[str, str]
) -> None:
    workspace, state = torchrun.workspace("restarted"), f"s3://{BUCKET}/restarted"
    options = ("--standalone", "--nproc-per-node", "2", "--max-restarts", "1")
    ends = {"ENDS_AT": "7", "ENDING_RANK": "0", "ENDS_BY": "kill", "LOOKALIKE_TRAINING_STATE": state}
    agent = torchrun.start(workspace, *options, module="tests.training.ends_once", **ends, **s3)
    _, said = agent.communicate(timeout=DEADLINE_SECONDS)
    assert agent.returncode == 0, said
    assert "going on after epoch 1 of 3 and 2 steps" in said  # saved after steps 3, 4 and 6
    [whole] = [place / "checkpoint" for place, _ in on_two_machines if (place / "checkpoint").exists()]
    assert read_seal(workspace / "checkpoint").content == read_seal(whole).content
    assert (workspace / "checkpoint" / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()


def test_a_failing_process_ends_all_with_one_error_and_fewer_go_on(
    torchrun: Torchrun,
    s3: dict[str, str],
    trained: Train,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace, state = torchrun.workspace("fewer"), f"s3://{BUCKET}/fewer"
    ends = {"ENDS_AT": "7", "ENDING_RANK": "1", "ENDS_BY": "error", "LOOKALIKE_TRAINING_STATE": state}
    agent = torchrun.start(
        workspace, "--standalone", "--nproc-per-node", "2", module="tests.training.ends_once", **ends, **s3
    )
    _, said = agent.communicate(timeout=DEADLINE_SECONDS)
    assert agent.returncode == 1
    assert [line for line in said.splitlines() if line.startswith("lookalike: ")] == [
        "lookalike: this one cannot go on"
    ]
    assert not (workspace / "checkpoint").exists()
    assert not list(workspace.glob("*.partial"))

    trained(shared_recipe(), "alone")
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level("INFO", "lookalike.training.loop"):
        trained(shared_recipe(), "fewer", resume_at=state)
    assert "going on after epoch 1 of 3 and 2 steps" in caplog.text
    assert_close(tmp_path / "alone", tmp_path / "fewer")
