"""Faults in a real Triton under load: no wrong answer reaches anybody, and the model comes back by itself."""

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.triton import TritonEmbedder
from lookalike.errors import BackendUnavailable, LookalikeError, ReleaseError, ReleaseMismatch
from lookalike.release.publish import publish_model
from serving.triton.admission import AdmittedEmbedder
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from serving.triton.reload import RepositoryReload
from serving.triton.supervisor import ELSEWHERE, HEALED, SupervisionSettings, Supervisor
from serving.triton.watchdog import kept_running
from tests.release.tiny import exported, photos
from tests.triton.local import children, running, until

PIXELS = photos(8, seed=4)
EXPECTED = OnnxEmbedder(exported()).embed(PIXELS).vectors
SETTINGS = SupervisionSettings(heartbeat_seconds=0.5, retry_seconds=0.05, first_pause_seconds=0.5)

ANSWERS_NOTHING = """
import numpy, triton_python_backend_utils as triton
class TritonPythonModel:
    def execute(self, requests):
        empty = [triton.Tensor(name, numpy.empty(0, numpy.float32)) for name in ("embedding", "attributes")]
        return [triton.InferenceResponse(output_tensors=empty) for _ in requests]
"""


class Shoppers:
    """Threads that embed without a pause, and count."""

    def __init__(self, model: AdmittedEmbedder, count: int = 3) -> None:
        self.right = self.wrong = 0
        self.refused: list[LookalikeError] = []
        self._model = model
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._shop, args=(seed,)) for seed in range(count)]

    def _shop(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        while not self._ended.is_set():
            rows = random.integers(0, len(PIXELS), random.integers(1, 4))
            try:
                vectors = self._model.embed(PIXELS[rows]).vectors
            except BackendUnavailable as error:
                self.refused.append(error)
                self._ended.wait(0.002)
                continue
            right = np.allclose(vectors, EXPECTED[rows], atol=1e-5)
            self.right, self.wrong = self.right + right, self.wrong + (not right)

    def __enter__(self) -> "Shoppers":
        for thread in self._threads:
            thread.start()
        until(lambda: self.right > 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def until_served_again(self) -> None:
        """Wait until something was refused and, after that, something answered."""
        until(lambda: bool(self.refused))
        before = self.right
        until(lambda: self.right > before + 20)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healing") / "models"
    publish_model(exported(), folder)
    return folder


@pytest.fixture(scope="module")
def server(environment: TritonEnvironment, repository: Path) -> Iterator[LocalTriton]:
    """One for all: each test leaves it healed."""
    with LocalTriton(environment, repository, repository.parent / "triton.log") as started:
        yield started


@contextmanager
def supervised(server: LocalTriton, repository: Path, name: str) -> Iterator[tuple[AdmittedEmbedder, Supervisor]]:
    """What a search server does with a model: load it, prove it, watch it."""
    model = AdmittedEmbedder(server.load(name), name)
    watching = Supervisor(RepositoryReload(server.api), SETTINGS)
    watching.watch(model)
    watching.start()
    try:
        yield model, watching
    finally:
        watching.close()
        model.close()


@pytest.mark.slow
def test_a_killed_worker_comes_back_under_load(server: LocalTriton, repository: Path, model_name: str) -> None:
    with supervised(server, repository, model_name) as (model, watching), Shoppers(model) as shoppers:
        for kill in (1, 2):
            shoppers.refused.clear()
            [worker] = filter(running, children(server.server_pid))  # not the zombie of the one before
            os.kill(worker, signal.SIGKILL)
            shoppers.until_served_again()
            assert watching.reloads[HEALED] == kill
    assert shoppers.wrong == 0


@pytest.mark.slow
def test_a_killed_server_comes_back_under_load(server: LocalTriton, repository: Path, model_name: str) -> None:
    with kept_running(server), supervised(server, repository, model_name) as (model, _), Shoppers(model) as shoppers:
        addresses, killed = (server.grpc_address, server.http_address), server.server_pid
        os.kill(killed, signal.SIGKILL)
        shoppers.until_served_again()
        assert (server.grpc_address, server.http_address) == addresses
        assert server.server_pid != killed
    assert shoppers.wrong == 0


@pytest.mark.slow
def test_two_search_servers_heal_one_worker_once(server: LocalTriton, repository: Path, model_name: str) -> None:
    first, second = (supervised(server, repository, model_name) for _ in range(2))
    with first as (one, by_one), second as (other, by_other), Shoppers(one) as here, Shoppers(other) as there:
        [worker] = filter(running, children(server.server_pid))
        os.kill(worker, signal.SIGKILL)
        here.until_served_again()
        there.until_served_again()
        until(lambda: (by_one.reloads + by_other.reloads).total() > 0)
    assert by_one.reloads[HEALED] + by_other.reloads[HEALED] == 1
    assert here.wrong + there.wrong == 0


@pytest.mark.slow
def test_a_model_unloaded_by_somebody_is_loaded_again(server: LocalTriton, repository: Path, model_name: str) -> None:
    with supervised(server, repository, model_name) as (model, watching), Shoppers(model) as shoppers:
        server.unload(model_name)
        shoppers.until_served_again()
    assert (shoppers.wrong, watching.reloads[ELSEWHERE]) == (0, 0)


@pytest.mark.slow
def test_an_answer_of_empty_tensors_reaches_nobody(server: LocalTriton, repository: Path, model_name: str) -> None:
    """As with numpy 2 in Triton's Python worker: the model says READY and answers nothing."""
    config = repository / model_name / "config.pbtxt"
    good = config.read_text()
    with supervised(server, repository, model_name) as (model, _), Shoppers(model) as shoppers:
        (repository / model_name / "1" / "model.py").write_text(ANSWERS_NOTHING)
        config.write_text(re.sub(r"model_warmup \{.*?\n\}\n", "", good, flags=re.S).replace("onnxruntime", "python"))
        server.api.load(model_name)
        until(lambda: model.refusal is not None)
        config.write_text(good)
        shoppers.until_served_again()
    assert shoppers.wrong == 0
    assert any("answered with shapes (0,) and (0,)" in str(error) for error in shoppers.refused)


@pytest.mark.slow
def test_a_bad_release_leaves_the_old_one_serving(server: LocalTriton, repository: Path, model_name: str) -> None:
    other = load_model(exported(seed=1))
    bad = Path(shutil.copytree(exported(seed=1) / other.name, repository / other.name))
    for beside in ("model.json", "golden.json"):
        shutil.copyfile(exported(seed=1) / beside, bad / beside)
    reload = RepositoryReload(server.api)

    def prove() -> None:
        TritonEmbedder(server.grpc_address, bad).close()

    with supervised(server, repository, model_name) as (model, _), Shoppers(model) as shoppers:
        (bad / "1" / "model.onnx").write_bytes(b"not a model")
        with pytest.raises(ReleaseError, match=f"Triton could not load {other.name}"):
            reload(other.name, prove)
        shutil.copyfile(onnx_file(exported(), load_model(exported())), bad / "1" / "model.onnx")
        with pytest.raises(ReleaseMismatch):
            reload(other.name, prove)
        shutil.copyfile(onnx_file(exported(seed=1), other), bad / "1" / "model.onnx")
        assert reload(other.name, prove), "the whole one loads after all"
        assert not reload(other.name, prove), "and is left alone from then on"
    assert (shoppers.wrong, shoppers.refused) == (0, [])
