"""Start a pipeline for a workspace on this machine: the arguments all of them share, and where logs go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.local_runner import PipelineRun, run_pipeline
from lookalike.workspace import Workspace


def shared_arguments(
    shop: Workspace, catalogue: str, mapping: str, limit: int, milvus_uri: str, settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Arguments of every pipeline; what the catalogue holds and which products are erased, a run finds out itself."""
    return {
        "catalogue": catalogue if "://" in catalogue else str(Path(catalogue).resolve()),
        "workspace": str(shop.root),
        "milvus_uri": milvus_uri,
        "mapping": str(Path(mapping).resolve()) if mapping and "://" not in mapping else mapping,
        "limit": limit,
        "settings": settings,
    }


def run_here(shop: Workspace, pipeline: Any, arguments: dict[str, Any], say: Callable[[str], None]) -> PipelineRun:
    """Run a pipeline with its artifacts, cache and log inside the workspace."""
    return run_pipeline(pipeline, arguments, root=shop.pipeline_root, log=shop.logs / "pipeline.log", say=say)
