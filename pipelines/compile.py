"""Compile pipelines and components to the YAML a person uploads to Kubeflow; the compiled files are checked in."""

from importlib import import_module
from pathlib import Path
from typing import Any

from kfp.compiler import Compiler

from lookalike.storage import atomic_file
from pipelines.cluster import TASKS, ClusterSettings, read_cluster
from pipelines.compiled import COMPILED
from pipelines.flow import Flow
from pipelines.refresh_index import REFRESH_INDEX, refresh_index
from pipelines.training import TRAINING, training
from pipelines.watch import WATCH, watch

FLOWS: dict[str, Flow] = {"training": TRAINING, "refresh_index": REFRESH_INDEX, "watch": WATCH}
PIPELINES: dict[str, Any] = {"training": training, "refresh_index": refresh_index, "watch": watch}
"""As they run on this machine."""
COMPONENTS = "components"
"""Folder of the single components, for pipelines that others put together."""


def compile_pipelines(folder: Path = COMPILED, cluster: ClusterSettings | None = None) -> list[Path]:
    """Write one YAML per pipeline and per component; the same source and settings always give the same bytes.

    Pipelines carry what their tasks need of the cluster, the shipped one where none is given. A component carries
    nothing of it: who uses one alone places it.
    """
    chosen = cluster or read_cluster()
    whole = [_compile(flow.pipeline(chosen), folder / f"{name}.yaml") for name, flow in FLOWS.items()]
    return whole + [_compile(component(name), folder / COMPONENTS / f"{name}.yaml") for name in sorted(TASKS)]


def component(name: str) -> Any:
    """A component by its name."""
    return getattr(import_module(f"components.{name}"), name)


def stale_pipelines(folder: Path, fresh: Path) -> list[str]:
    """Names of checked-in files that differ from what was compiled into `fresh` just now, or were not made there."""
    now, before = _files(fresh), _files(folder)
    return sorted(str(name) for name in now | before if now.get(name) != before.get(name))


def _files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.yaml")}


def _compile(pipeline: Any, path: Path) -> Path:
    with atomic_file(path) as aside:
        Compiler().compile(pipeline, str(aside))
    return path
