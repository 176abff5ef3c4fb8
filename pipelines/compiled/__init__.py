"""The pipelines as Kubeflow reads them, compiled and checked in: known without KFP, which compiling needs."""

from pathlib import Path

COMPILED = Path(__file__).parent
