"""Build the small environment local Triton runs in: `python -m serving.triton.environment FOLDER`.

The folder gets a virtual environment of its own and, last, a marker file; it is written aside and renamed,
so a folder with the marker is a whole environment. Built once (about 300 MB), reused until the pinned
requirements or Python change.
"""

import argparse
import logging
import platform
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import BackendUnavailable, LookalikeError, StorageError
from lookalike.storage import atomic_folder, digest_json, read_json, write_json

log = logging.getLogger(__name__)

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
MARKER = "environment.json"
NO_WHEEL = 3
"""Exit code where Triton's wheel has no build; a Makefile may take it for "go on without Triton"."""


class NoTritonBuild(BackendUnavailable):
    """This platform has no Triton wheel; onnxruntime in the process does its work."""


@dataclass(frozen=True)
class TritonEnvironment:
    """Where the parts of a built environment are."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python3"

    @property
    def packages(self) -> Path:
        return self.folder / "lib" / _python_name() / "site-packages"

    @property
    def server(self) -> Path:
        return self.packages / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def python_backend(self) -> Path:
        return self.packages / "pytriton" / "tritonserver" / "backends" / "python"

    @property
    def libraries(self) -> Path:
        return self.packages / "nvidia_pytriton.libs"


def why_no_triton(system: str, machine: str) -> str | None:
    """The sentence that says why a platform cannot run local Triton; None where it can."""
    if system == "Linux" and machine == "x86_64":
        return None
    return f"Triton's wheel is built for Linux on x86_64 only, this is {system} on {machine}"


def open_environment(folder: Path) -> TritonEnvironment:
    """A built, current environment. Raises NoTritonBuild, or BackendUnavailable with the command that builds it."""
    reason = why_no_triton(platform.system(), platform.machine())
    if reason is not None:
        raise NoTritonBuild(reason)
    if not _is_current(folder):
        command = f"python -m serving.triton.environment {folder}"
        raise BackendUnavailable(f"{folder} holds no current Triton environment; build it with `{command}`")
    return TritonEnvironment(folder.resolve())


def build_environment(folder: Path) -> TritonEnvironment:
    """Build the environment, or reuse the one there.

    Raises NoTritonBuild, and StorageError for a folder with other contents or a failing installation.
    """
    reason = why_no_triton(platform.system(), platform.machine())
    if reason is not None:
        raise NoTritonBuild(reason)
    if _is_current(folder):
        log.info("The Triton environment in %s is current.", folder)
        return open_environment(folder)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise StorageError(f"{folder} holds something else; name a folder that is new, empty or a Triton environment")
    with atomic_folder(folder) as aside:
        _install(aside)
        write_json(aside / MARKER, {"digest": _digest(), "requirements": REQUIREMENTS.read_text().splitlines()})
    log.info("Built the Triton environment in %s.", folder)
    return open_environment(folder)


def _install(folder: Path) -> None:
    venv.create(folder, with_pip=True, symlinks=True)
    command = [str(folder / "bin" / "python3"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--requirement", str(REQUIREMENTS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise StorageError(f"pip could not install {REQUIREMENTS.name}: {run.stderr.strip()[-800:]}")
    stub = folder / "lib" / _python_name() / "site-packages" / "pytriton" / "tritonserver" / "python_backend_stubs"
    backend = stub.parent / "backends" / "python"
    name = "triton_python_backend_stub"
    (backend / name).write_bytes((stub / _version() / name).read_bytes())
    (backend / name).chmod(0o755)


def _is_current(folder: Path) -> bool:
    return (folder / MARKER).is_file() and read_json(folder / MARKER).get("digest") == _digest()


def _digest() -> str:
    return digest_json({"requirements": REQUIREMENTS.read_text(), "python": platform.python_version()})


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _python_name() -> str:
    return f"python{_version()}"


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m serving.triton.environment", description=build_environment.__doc__)
    parser.add_argument("folder", type=Path, help="where the environment goes, for instance .triton")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        build_environment(chosen.folder)
    except NoTritonBuild as error:
        log.warning("%s; photos are embedded by onnxruntime in the server's own process instead.", error)
        return NO_WHEEL
    except LookalikeError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
