"""Notebooks are committed as somebody finds them who has run nothing yet; tests/end_to_end runs them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE = re.compile(r"/(?:home|root|tmp|Users|work)/|[A-Z]:\\\\")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    path: Path = request.param
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["query_and_drift", "run_and_compare_pipelines"]


def test_no_outputs_are_committed(notebook: Any) -> None:
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    assert all(cell["metadata"] == {} for cell in cells)


def test_no_machine_is_named(notebook: Any) -> None:
    assert not MACHINE.search(json.dumps(notebook))


def test_it_says_what_it_is_and_how_to_run_it(notebook: Any) -> None:
    first = "".join(notebook["cells"][0]["source"])
    assert first.startswith("# ")
    assert "`make demo`" in first and "`make notebooks`" in first
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3", "the environment's own kernel"
