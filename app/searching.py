"""One search in this process, without a server."""

from collections.abc import Mapping
from typing import Any

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import ReleaseError
from lookalike.features.feast import FeastLookup
from lookalike.release.category import release_fusion
from lookalike.release.manifest import live_release
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import search_request
from lookalike.stages import collections_at
from lookalike.workspace import Workspace


def search_photo(shop: Workspace, milvus_uri: str, asked: Mapping[str, Any]) -> SearchAnswer:
    """Ask the live release what `search_request` reads.

    Raises ReleaseError before the first release, QueryError and ImageError for a bad request.
    """
    release = live_release(shop.releases)
    if release is None:
        raise ReleaseError(f"nothing is in service under {shop.releases}; run `lookalike release` first")
    with collections_at(milvus_uri) as index:
        embedder = OnnxEmbedder(shop.model_repository / release.model)
        features = FeastLookup(shop.feature_store, release.feature_service)
        engine = SearchEngine(embedder, index, features, release, fusion=release_fusion(shop.releases, release))
        return engine.search(search_request(asked))
