"""One search in this process, without a server."""

from collections.abc import Mapping
from typing import Any

from lookalike import stages
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.features.feast import FeastLookup
from lookalike.release.category import release_fusion
from lookalike.release.manifest import require_live
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import search_request
from lookalike.workspace import Workspace


def search_photo(shop: Workspace, milvus_uri: str, asked: Mapping[str, Any]) -> SearchAnswer:
    """Ask the live release what `search_request` reads.

    Raises UntrustedRelease where keys are trusted and none of them signed it, ReleaseError before the first release,
    QueryError and ImageError for a bad request.
    """
    release, proving = require_live(shop.releases), stages.verifier(shop)
    with stages.collections_at(milvus_uri) as index:
        if proving is not None:
            proving.release(release, index)
        embedder = OnnxEmbedder(shop.model_repository / release.model)
        features = FeastLookup(shop.feature_store, release.feature_service)
        engine = SearchEngine(embedder, index, features, release, fusion=release_fusion(shop.releases, release))
        return engine.search(search_request(asked))
