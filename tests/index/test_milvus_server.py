"""The contract, and filling in bulk, on a real Milvus server, where one can be started."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = ["unshare", "--map-root-user", "--net"]
LEAST = {"test_contract.py": 20, "test_milvus_bulk.py": 6}
"""Files of tests, and how many of each have to pass at least."""


@dataclass(frozen=True)
class Run:
    """One file of tests on a server of its own, in a network of its own."""

    process: "subprocess.Popen[bytes]"
    output: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """All files at once: the servers mostly wait."""
    if importlib.util.find_spec("milvus") is None:
        pytest.skip("no Milvus server here; `pip install milvus==2.3.5` (Linux, x86_64) brings one")
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets us make no network namespace, and the server would listen on all interfaces")
    started = {tests: _start(tests, tmp_path_factory.mktemp("server")) for tests in LEAST}
    yield started
    for run in started.values():
        with contextlib.suppress(ProcessLookupError):  # whoever was not waited for ends now, its server too
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()


def _start(tests: str, folder: Path) -> Run:
    command = [*ALONE, sys.executable, "-m", "tests.index.milvus_server", str(folder), f"tests/index/{tests}"]
    output = folder / "output.txt"
    with output.open("wb") as file:
        return Run(
            subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True), output
        )


@pytest.mark.slow
@pytest.mark.parametrize("tests", LEAST)
def test_it_holds_on_a_real_server(runs: dict[str, Run], tests: str) -> None:
    run = runs[tests]
    code = run.process.wait(500)
    said = run.output.read_text(errors="replace")
    assert code == 0, said[-7_000:]
    told = re.search(r"(\d+) passed", said)
    assert told and int(told[1]) >= LEAST[tests], said[-1_000:]
