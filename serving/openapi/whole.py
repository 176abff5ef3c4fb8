"""The OpenAPI document of a server with default settings, made without one and without a release."""

from pathlib import Path
from typing import Any

from lookalike.errors import ReleaseError
from lookalike.release.manifest import Release
from serving.live import Engine, LiveEngine
from serving.openapi.document import describe
from serving.server import SearchServer
from serving.settings import ServingSettings


def default_document() -> dict[str, Any]:
    """What `GET /openapi.json` answers by default."""
    nowhere = Path()
    settings = ServingSettings(releases=nowhere, model_repository=nowhere, milvus_uri="", feature_store=nowhere)
    return describe(SearchServer(settings, LiveEngine(nowhere, _no_engine), None).application())


def _no_engine(release: Release) -> Engine:
    raise ReleaseError(f"release {release.release_id[:12]} is not served to describe it")
