"""Start a pipeline for a workspace on this machine: the arguments all of them share, and where logs go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.local_runner import PipelineRun, run_pipeline
from lookalike import stages
from lookalike.workspace import Workspace


def watch_arguments(
    shop: Workspace, catalogue: str, mapping: str, limit: int, milvus_uri: str, settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Arguments of every pipeline; a watch finds out the catalogue's digest itself, each time it runs."""
    return {
        "catalogue": catalogue if "://" in catalogue else str(Path(catalogue).resolve()),
        "workspace": str(shop.root),
        "milvus_uri": milvus_uri,
        "mapping": mapping,
        "limit": limit,
        "settings": stages.with_erasures(str(shop.root), settings),
    }


def shared_arguments(
    shop: Workspace, catalogue: str, mapping: str, limit: int, milvus_uri: str, settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Those and the digest; it makes the cache notice new data behind the same name."""
    digest = stages.catalogue_digest(catalogue, mapping)
    return {**watch_arguments(shop, catalogue, mapping, limit, milvus_uri, settings), "catalogue_digest": digest}


def run_here(shop: Workspace, pipeline: Any, arguments: dict[str, Any], say: Callable[[str], None]) -> PipelineRun:
    """Run a pipeline with its artifacts, cache and log inside the workspace."""
    return run_pipeline(pipeline, arguments, root=shop.pipeline_root, log=shop.logs / "pipeline.log", say=say)
