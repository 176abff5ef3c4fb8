"""Which runs are meant: those of an API server, or this workspace's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.workspace import Workspace
from monitoring.runs.local import LocalTrigger

if TYPE_CHECKING:
    from monitoring.runs.kubeflow import KubeflowTrigger


def open_runs(api: str, shop: Workspace, pipelines: Path) -> "LocalTrigger | KubeflowTrigger":
    """The runs of the KFP API server at `api`; with an empty one, processes on this machine."""
    if not api:
        return LocalTrigger(shop.pipeline_runs, pipelines)
    from monitoring.runs.kubeflow import KubeflowTrigger

    return KubeflowTrigger(api, pipelines)
