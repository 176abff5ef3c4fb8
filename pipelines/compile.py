"""Compile the pipelines to the YAML a person uploads to Kubeflow; the compiled files are checked in."""

from pathlib import Path
from typing import Any

from kfp.compiler import Compiler

from lookalike.storage import atomic_file
from pipelines.compiled import COMPILED
from pipelines.refresh_index import refresh_index
from pipelines.training import training
from pipelines.watch import watch

PIPELINES: dict[str, Any] = {"training": training, "refresh_index": refresh_index, "watch": watch}


def compile_pipelines(folder: Path = COMPILED) -> list[Path]:
    """Write one YAML per pipeline; the same source always gives the same bytes."""
    return [_compile(pipeline, folder / f"{name}.yaml") for name, pipeline in PIPELINES.items()]


def stale_pipelines(folder: Path, scratch: Path) -> list[str]:
    """Names of checked-in pipelines that differ from what the source compiles to now."""
    fresh = compile_pipelines(scratch)
    return [path.name for path in fresh if _bytes(folder / path.name) != path.read_bytes()]


def _compile(pipeline: Any, path: Path) -> Path:
    with atomic_file(path) as aside:
        Compiler().compile(pipeline, str(aside))
    return path


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
