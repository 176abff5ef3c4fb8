"""Run the notebooks from top to bottom against a shop: `make notebooks`, or `python -m notebooks.execute --help`."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from app.demo.service import running_service
from app.inherited import inherited
from app.local_services import milvus_for
from lookalike.workspace import Workspace

FOLDER = Path(__file__).parent
NOTEBOOKS = tuple(sorted(FOLDER.glob("*.ipynb")))
SECONDS = 300
"""A cell may take so long."""


def execute(notebook: Path, places: Mapping[str, str], output: Path) -> nbformat.NotebookNode:
    """Run a notebook and keep it with its outputs under `output`; `places` are variables of its environment.

    Raises CellExecutionError with the cell's own error.
    """
    cells = nbformat.read(notebook, as_version=4)
    with inherited(places), TemporaryDirectory() as sockets:  # not over TCP, where others could listen
        beside = Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"})
        run_from = {"metadata": {"path": FOLDER}}
        NotebookClient(cells, timeout=SECONDS, kernel_name="python3", resources=run_from, config=beside).execute()
    output.mkdir(parents=True, exist_ok=True)
    nbformat.write(cells, output / notebook.name)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("runs/demo-drawn-shop"), help="what `make demo` left")
    parser.add_argument("--output", type=Path, default=Path("runs/notebooks"), help="where notebooks with outputs go")
    parser.add_argument("--kfp", default=os.environ.get("LOOKALIKE_KFP", ""), help="a KFP API server; none by default")
    asked = parser.parse_args()
    if not (asked.workspace / "releases" / "live.json").is_file():
        parser.error(f"{asked.workspace} has no release in service; `make demo` makes one")
    shop = Workspace(asked.workspace.resolve())
    with milvus_for(shop) as milvus, running_service(shop, milvus) as service:
        places = {"LOOKALIKE_WORKSPACE": str(shop.root), "LOOKALIKE_SERVICE": service, "LOOKALIKE_KFP": asked.kfp}
        for notebook in NOTEBOOKS:
            execute(notebook, places, asked.output)
            print(asked.output / notebook.name)  # noqa: T201


if __name__ == "__main__":
    main()
