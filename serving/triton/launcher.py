"""A real Triton server on this machine, without Docker and without a GPU, for as long as a `with` block."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from lookalike.config import StrictConfig
from lookalike.embedders.triton import TritonEmbedder
from lookalike.errors import BackendUnavailable, LookalikeError, StorageError
from serving import leash
from serving.ports import LOOPBACK, free_ports
from serving.triton.environment import TritonEnvironment
from serving.triton.repository_api import RepositoryApi

HERE = Path(__file__).parent
SHARED_MEMORY = Path("/dev/shm")
PORT_TAKEN = "address already in use"


class LauncherSettings(StrictConfig):
    """How long local Triton may take, and how much it may say."""

    start_seconds: float = 60.0
    """Longest wait for the server to answer; two seconds on an idle machine."""
    stop_seconds: float = 20.0
    """Longest wait for it to end."""
    attempts: int = 3
    """Starts on other ports when another program took one in between."""
    log_tail: int = 15
    """Lines of Triton's log quoted in an error."""


class LocalTriton:
    """Serves a Triton model repository on free loopback ports; models are loaded by name, none at start.

    Leaving the block, or the death of this process, ends the server and its workers. Every method raises
    BackendUnavailable with the end of Triton's log when the server is gone.
    """

    def __init__(
        self,
        environment: TritonEnvironment,
        model_repository: Path,
        log_file: Path,
        settings: LauncherSettings | None = None,
    ) -> None:
        self.log_file = log_file
        self._environment = environment
        self._repository = model_repository.resolve()
        self._settings = settings or LauncherSettings()
        self._process: subprocess.Popen[bytes] | None = None
        self._resources = ExitStack()

    def __enter__(self) -> "LocalTriton":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---- life

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StorageError for a repository that is no folder."""
        if not self._repository.is_dir():
            raise StorageError(f"{self._repository} is not a folder with Triton models")
        for attempt in range(1, self._settings.attempts + 1):
            self.log_file.unlink(missing_ok=True)
            try:
                self._launch(free_ports(3))
                self._wait_until_live()
                return
            except BackendUnavailable:
                taken = PORT_TAKEN in self._log().lower()
                self.stop()
                if not taken or attempt == self._settings.attempts:
                    raise
            except BaseException:
                self.stop()
                raise

    def restart(self) -> None:
        """Start a server that has ended again, at the same addresses; its models have to be loaded again.

        Raises BackendUnavailable where that fails; it may be tried again.
        """
        self.stop()
        self._launch(self._ports)
        self._wait_until_live()

    def stop(self) -> None:
        """End the server and its workers; harmless when it is gone already."""
        if self._process is not None:
            assert self._process.stdin is not None  # opened as a pipe
            self._process.stdin.close()  # the leash ends the server
            try:
                self._process.wait(self._settings.stop_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._resources.close()

    def check_alive(self) -> None:
        """Raise BackendUnavailable with the end of the log when the server is not running."""
        if self._process is None:
            raise BackendUnavailable("local Triton is not running")
        code = self._process.poll()
        if code is not None:
            raise BackendUnavailable(
                f"local Triton ended with code {code}; the end of {self.log_file}:\n{self._tail()}"
            )

    @property
    def server_pid(self) -> int:
        """Process id of Triton itself, on Linux; the leash around it has another."""
        self.check_alive()
        assert self._process is not None  # checked above
        parent = self._process.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    # ---- models

    def load(self, model: str) -> TritonEmbedder:
        """Load or reload a model and hand out an embedder whose golden vectors were checked.

        Raises ReleaseError for a model Triton refuses (the one loaded before keeps serving) and
        ReleaseMismatch for one that answers wrongly.
        """
        self.check_alive()
        self.api.load(model)
        return self.connect(model)

    def connect(self, model: str) -> TritonEmbedder:
        """A checked embedder of a loaded model."""
        self.check_alive()
        return TritonEmbedder(self.grpc_address, self._repository / model)

    def healthy(self, model: str) -> bool:
        """Whether the model really answers, by its golden vectors."""
        try:
            self.connect(model).close()
        except LookalikeError:
            return False
        return True

    def unload(self, model: str) -> None:
        self.check_alive()
        self.api.unload(model)

    def heal(self, model: str) -> TritonEmbedder:
        """Unload and load: the one cure for a dead worker, which Triton goes on calling ready."""
        self.unload(model)
        return self.load(model)

    # ---- how the process is put together

    def _launch(self, ports: list[int]) -> None:
        self._ports = http, grpc, metrics = ports
        self.http_address, self.grpc_address = f"{LOOPBACK}:{http}", f"{LOOPBACK}:{grpc}"
        self.metrics_url = f"http://{LOOPBACK}:{metrics}/metrics"
        self.api = RepositoryApi(self.http_address)
        backends = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="lookalike-triton-")))
        self._fill_backends(backends)
        self.shared_memory_prefix = f"lookalike_triton_{os.getpid()}_{http}_"
        self._resources.callback(_remove_shared_memory, self.shared_memory_prefix)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        log = self._resources.enter_context(self.log_file.open("ab"))
        command = [sys.executable, "-I", str(Path(leash.__file__)), *self._command(backends, http, grpc, metrics)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            env=self._variables(), start_new_session=True,
        )  # fmt: skip

    def _fill_backends(self, folder: Path) -> None:
        """Triton's own Python backend, and on top of it ours under the production backend's name."""
        (folder / "python").symlink_to(self._environment.python_backend)
        shutil.copytree(HERE / "backend" / "onnxruntime", folder / "onnxruntime")

    def _command(self, backends: Path, http: int, grpc: int, metrics: int) -> list[str]:
        return [
            str(self._environment.server),
            f"--model-repository={self._repository}",
            f"--backend-directory={backends}",
            "--model-control-mode=explicit",
            "--disable-auto-complete-config",
            f"--http-address={LOOPBACK}",
            f"--http-port={http}",
            f"--grpc-address={LOOPBACK}",
            f"--grpc-port={grpc}",
            f"--metrics-address={LOOPBACK}",
            f"--metrics-port={metrics}",
            "--allow-gpu-metrics=false",
            f"--backend-config=python,shm-region-prefix-name={self.shared_memory_prefix}",
            "--exit-timeout-secs=5",
        ]

    def _variables(self) -> dict[str, str]:
        libraries = [
            str(self._environment.libraries),
            sysconfig.get_config_var("LIBDIR"),
            os.environ.get("LD_LIBRARY_PATH"),
        ]
        return {
            **os.environ,
            "LD_LIBRARY_PATH": ":".join(part for part in libraries if part),
            "PATH": f"{self._environment.python.parent}:{os.environ.get('PATH', '')}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    # ---- waiting and telling

    def _wait_until_live(self) -> None:
        deadline = time.monotonic() + self._settings.start_seconds
        while not self.api.live():
            self.check_alive()
            if time.monotonic() > deadline:
                raise BackendUnavailable(
                    f"local Triton does not answer after {self._settings.start_seconds:g} s; "
                    f"the end of {self.log_file}:\n{self._tail()}"
                )
            time.sleep(0.05)

    def _log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.is_file() else ""

    def _tail(self) -> str:
        return "\n".join(self._log().splitlines()[-self._settings.log_tail :])


def _remove_shared_memory(prefix: str) -> None:
    """Killed workers leave their shared memory behind."""
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)
