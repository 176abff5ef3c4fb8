import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.triton import TritonEmbedder
from lookalike.errors import BackendUnavailable, LookalikeError, ReleaseError, ReleaseMismatch, StorageError
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import SHARED_MEMORY, LocalTriton
from tests.release.tiny import exported, photos
from tests.triton.local import children, running, until

PIXELS = photos(3, seed=4)

STARTS_TRITON = """
import sys, time
from pathlib import Path
from serving.triton.environment import open_environment
from serving.triton.launcher import LocalTriton
folder = Path(sys.argv[2])
with LocalTriton(open_environment(Path(sys.argv[1])), folder / "models", folder / "triton.log"):
    print("live", flush=True)
    time.sleep(600)
"""


@contextmanager
def answering(embedder: TritonEmbedder) -> Iterator[list[LookalikeError]]:
    """Embed without a pause in another thread; yields what failed."""
    failures: list[LookalikeError] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                embedder.embed(PIXELS)
            except LookalikeError as error:
                failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failures
    finally:
        stop.set()
        thread.join()


def has_ended(server: LocalTriton) -> bool:
    """Whether its end was noticed."""
    try:
        server.check_alive()
    except BackendUnavailable:
        return True
    return False


@pytest.fixture
def server(environment: TritonEnvironment, repository: Path, tmp_path: Path) -> LocalTriton:
    return LocalTriton(environment, repository, tmp_path / "triton.log")


@pytest.mark.slow
def test_a_refused_reload_leaves_the_old_model_serving(server: LocalTriton, repository: Path, model_name: str) -> None:
    config = repository / model_name / "config.pbtxt"
    file = repository / model_name / "1" / "model.onnx"
    good, text = file.read_bytes(), config.read_text()
    with server, server.load(model_name) as embedder:
        before = embedder.embed(PIXELS).vectors

        file.write_bytes(b"not a model")
        with pytest.raises(ReleaseError, match=f"Triton could not load {model_name}"):
            server.load(model_name)
        np.testing.assert_array_equal(embedder.embed(PIXELS).vectors, before)

        file.write_bytes(good)
        config.write_text(text.replace('name: "embedding"', 'name: "embeding"'))
        with pytest.raises(ReleaseError, match="the ONNX file has no tensors"):
            server.load(model_name)
        np.testing.assert_array_equal(embedder.embed(PIXELS).vectors, before)

        config.write_text(text)
        with answering(embedder) as failures:
            server.load(model_name).close()
            server.load(model_name).close()
        assert failures == [], "a reload loses no request"


@pytest.mark.slow
def test_a_model_that_loads_but_is_not_what_it_says_is_refused(
    server: LocalTriton, repository: Path, model_name: str
) -> None:
    folder, other = repository / model_name, load_model(exported(seed=1))
    config = folder / "config.pbtxt"
    text = config.read_text()
    with server:
        config.write_text(re.sub(r'string_value: "[0-9a-f]{64}"', f'string_value: "{other.fingerprint}"', text))
        with pytest.raises(ReleaseMismatch, match=f"belongs to model {other.fingerprint[:12]}"):
            server.load(model_name)

        config.write_text(text)
        shutil.copyfile(onnx_file(exported(seed=1), other), folder / "1" / "model.onnx")
        with pytest.raises(ReleaseMismatch, match="answers the golden photos with cosine"):
            server.load(model_name)


@pytest.mark.slow
def test_a_killed_worker_is_noticed_and_healed(server: LocalTriton, model_name: str) -> None:
    with server, server.load(model_name) as embedder:
        before = embedder.embed(PIXELS).vectors
        workers = children(server.server_pid)
        assert len(workers) == 1
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: not running(workers[0]))

        with pytest.raises(BackendUnavailable, match="not healthy"):
            embedder.embed(PIXELS)
        assert embedder.ready(), "Triton goes on calling it ready: that is why readiness proves nothing"
        assert not server.healthy(model_name)
        with server.heal(model_name) as healed:
            assert server.healthy(model_name)
            np.testing.assert_array_equal(healed.embed(PIXELS).vectors, before)


@pytest.mark.slow
def test_a_dead_server_is_told_with_the_end_of_its_log(server: LocalTriton, model_name: str) -> None:
    with server:
        os.kill(server.server_pid, signal.SIGKILL)
        until(lambda: has_ended(server))
        with pytest.raises(BackendUnavailable, match=r"(?s)local Triton ended with code 137.*Started HTTPService"):
            server.load(model_name)
    with pytest.raises(BackendUnavailable, match="not running"):
        server.load(model_name)


@pytest.mark.slow
def test_the_server_ends_with_a_parent_that_is_killed(environment: TritonEnvironment, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    command = [sys.executable, "-c", STARTS_TRITON, str(environment.folder), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "live\n"
        [leash] = children(parent.pid)
        [server] = children(leash)
        parent.kill()
    until(lambda: not running(server) and not running(leash))


@pytest.mark.slow
def test_a_stopped_server_leaves_nothing_behind(server: LocalTriton, model_name: str) -> None:
    with server:
        server.load(model_name).close()
        pid, prefix = server.server_pid, server.shared_memory_prefix
        assert list(SHARED_MEMORY.glob(f"{prefix}*"))
    assert not running(pid)
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    empty = TritonEnvironment(tmp_path / "empty")
    (tmp_path / "models").mkdir()
    with pytest.raises(BackendUnavailable, match=r"(?s)local Triton ended with code 1.*No such file.*tritonserver"):
        LocalTriton(empty, tmp_path / "models", tmp_path / "triton.log").start()


def test_a_repository_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not a folder with Triton models"):
        LocalTriton(TritonEnvironment(tmp_path), tmp_path / "absent", tmp_path / "triton.log").start()


def test_the_exported_configuration_is_the_one_that_serves(
    triton: LocalTriton, loaded: TritonEmbedder, model_name: str
) -> None:
    assert triton.api.models() == {model_name: "READY"}
    assert triton.api.ready(model_name)
    assert not triton.api.ready("embedder_unknown")
