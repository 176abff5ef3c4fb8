"""The contract, and filling in bulk, on a real Milvus server, where one can be started."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = ["unshare", "--map-root-user", "--net"]


@pytest.mark.slow
@pytest.mark.parametrize(("tests", "least"), [("test_contract.py", 20), ("test_milvus_bulk.py", 6)])
def test_it_holds_on_a_real_server(tmp_path: Path, tests: str, least: int) -> None:
    if importlib.util.find_spec("milvus") is None:
        pytest.skip("no Milvus server here; `pip install milvus==2.3.5` (Linux, x86_64) brings one")
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets us make no network namespace, and the server would listen on all interfaces")
    command = [*ALONE, sys.executable, "-m", "tests.index.milvus_server", str(tmp_path), f"tests/index/{tests}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
    told = re.search(r"(\d+) passed", done.stdout)
    assert told and int(told[1]) >= least, done.stdout[-1_000:]
