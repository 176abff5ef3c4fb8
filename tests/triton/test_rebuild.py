"""A model that takes long to load, as where engines are built, keeps no photo of the one in service waiting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lookalike.embedders.triton import TritonEmbedder
from lookalike.release.publish import publish_model
from serving.triton import launcher
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from tests.release.tiny import exported, photos
from tests.triton.local import until

ANSWERS = 100
"""Photos answered while the other model loads."""
BACKEND = Path(launcher.__file__).parent / "backend" / "onnxruntime" / "model.py"
PATIENT = """
import importlib.util, json, pathlib, time

spec = importlib.util.spec_from_file_location("usual", "{backend}")
usual = importlib.util.module_from_spec(spec)
spec.loader.exec_module(usual)

class TritonPythonModel(usual.TritonPythonModel):
    def initialize(self, args):
        with open("{folder}/loading", "a") as told:
            told.write("x")
        deadline = time.monotonic() + 60
        while not pathlib.Path("{folder}/go").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        config = dict(json.loads(args["model_config"]), default_model_filename="model.onnx")
        super().initialize(dict(args, model_config=json.dumps(config)))
"""
"""The usual backend, that loads once it may."""


@dataclass(frozen=True)
class SlowModel:
    """A published model that loads once it is let."""

    name: str
    folder: Path
    """For the files by which it is told to go on, and tells how often it was asked to load."""

    @property
    def loads(self) -> int:
        told = self.folder / "loading"
        return len(told.read_text()) if told.is_file() else 0

    def let(self, go: bool = True) -> None:
        if go:
            (self.folder / "go").touch()
        else:
            (self.folder / "go").unlink()


def add_slow(repository: Path, seed: int) -> SlowModel:
    """It appears in one step."""
    aside = repository.parent / "aside"
    published = publish_model(exported(seed), aside)
    config = published / "config.pbtxt"
    config.write_text(config.read_text().replace('backend: "onnxruntime"', 'backend: "python"'), encoding="utf-8")
    program = PATIENT.format(backend=BACKEND, folder=repository.parent)
    (published / "1" / "model.py").write_text(program, encoding="utf-8")
    published.rename(repository / published.name)
    return SlowModel(published.name, repository.parent)


@contextmanager
def loading(server: LocalTriton, slow: SlowModel) -> Iterator[threading.Thread]:
    """Ask for the slow model in another thread; at the end it is let, and loaded."""
    before = slow.loads
    thread = threading.Thread(target=server.api.load, args=(slow.name,))
    thread.start()
    try:
        until(lambda: slow.loads > before)
        yield thread
    finally:
        slow.let()
        thread.join(90)


def ask(embedder: TritonEmbedder) -> None:
    for _ in range(ANSWERS):
        embedder.embed(photos(3))  # raises where one fails


@pytest.mark.slow
def test_the_model_in_service_answers_while_another_loads(
    environment: TritonEnvironment, repository: Path, model_name: str, tmp_path: Path
) -> None:
    slow = add_slow(repository, seed=1)
    with LocalTriton(environment, repository, tmp_path / "log") as server, server.load(model_name) as embedder:
        with loading(server, slow) as thread:
            ask(embedder)
            assert thread.is_alive()
        assert server.healthy(slow.name)


@pytest.mark.slow
def test_the_model_in_service_answers_while_it_is_itself_loaded_anew(
    environment: TritonEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    slow = add_slow(tmp_path / "models", seed=0)
    slow.let()
    with LocalTriton(environment, tmp_path / "models", tmp_path / "log") as server, server.load(slow.name) as embedder:
        slow.let(False)
        (tmp_path / "models" / slow.name / "1" / "model.py").touch()
        with loading(server, slow) as thread:
            ask(embedder)
            assert thread.is_alive()
        ask(embedder)
        assert slow.loads == 2


class PollingTriton(LocalTriton):
    """Loads what appears in the repository by itself, as each of several Tritons does in a cluster."""

    def _command(self, backends: Path, http: int, grpc: int, metrics: int) -> list[str]:
        usual = super()._command(backends, http, grpc, metrics)
        usual[usual.index("--model-control-mode=explicit")] = "--model-control-mode=poll"
        return [*usual, "--repository-poll-secs=1"]


@pytest.mark.slow
def test_a_triton_that_polls_answers_while_it_loads_what_appeared(
    environment: TritonEnvironment, repository: Path, model_name: str, tmp_path: Path
) -> None:
    with PollingTriton(environment, repository, tmp_path / "log") as server:
        until(lambda: server.healthy(model_name))
        with server.connect(model_name) as embedder:
            slow = add_slow(repository, seed=1)
            until(lambda: slow.loads == 1)
            ask(embedder)
            assert not server.api.ready(slow.name)
            slow.let()
            until(lambda: server.healthy(slow.name))
