"""The engine of a release: which real part stands behind each protocol."""

import io
import logging
from datetime import UTC, datetime
from functools import partial

from PIL import Image

from lookalike.embedders.choose import choose_embedder
from lookalike.embedders.protocol import Embedder
from lookalike.features.feast import FeastLookup
from lookalike.features.protocol import FeatureLookup
from lookalike.index.choose import open_index
from lookalike.index.protocol import VectorIndex
from lookalike.release.category import release_fusion
from lookalike.release.manifest import Release
from lookalike.release.signed import Verifier
from lookalike.release.update_log import UpdateLog
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from lookalike.signing.keys import load_trusted_keys
from serving.live import MakeAnyEngine
from serving.settings import ServingSettings
from serving.traces import Tracing
from serving.triton.admission import AdmittedEmbedder
from serving.triton.reload import RepositoryReload
from serving.triton.repository_api import RepositoryApi
from serving.triton.supervisor import Supervisor

logger = logging.getLogger(__name__)


def engine_maker(settings: ServingSettings, supervisor: Supervisor | None, tracing: Tracing | None) -> MakeAnyEngine:
    """Makes engines that search in this process, over one way to the index. Raises ConfigError for bad trusted keys."""
    if settings.trusted_keys is None:
        logger.info("signatures of releases are not verified: no trusted_keys are set")
    else:
        load_trusted_keys(settings.trusted_keys)
    index = open_index(settings.milvus_uri, settings.milvus_token or "")
    return partial(load_engine, settings, index, supervisor, tracing)


def load_engine(
    settings: ServingSettings,
    index: VectorIndex,
    supervisor: Supervisor | None,
    tracing: Tracing | None,
    release: Release,
    tried: bool = False,
) -> SearchEngine:
    """The engine of a release, every part loaded and proven by one search of our own.

    A model in Triton that is only `tried` is not healed: a sick one ends its trial. Where keys are trusted, signatures
    come first. Raises UntrustedRelease.
    """
    proving = verifier_of(settings)
    if proving is not None:
        logger.info("release %s is as %s signed it", release.release_id[:12], proving.release(release, index))
    embedder = open_embedder(settings, release)
    updates, features = UpdateLog(settings.releases, release).number, open_features(settings, release)
    fusion = release_fusion(settings.releases, release)
    engine = SearchEngine(
        embedder,
        index,
        features,
        release,
        settings.limits,
        updates=updates,
        fusion=fusion,
        spans=None if tracing is None else tracing.stage,
    )
    engine.search(SearchRequest(photo=_drawn_photo(), k=1))  # loads the collection, so no shopper waits for it
    if supervisor is not None and not tried and isinstance(embedder, AdmittedEmbedder):
        embedder.on_readmission = engine.model_breaker.trust
        supervisor.watch(embedder)
    return engine


def supervisor_of(settings: ServingSettings) -> Supervisor | None:
    """Who heals the model in Triton; nobody where the model runs in this process."""
    if settings.triton_url is None:
        return None
    return Supervisor(reload_by(settings), settings.supervision)


def reload_by(settings: ServingSettings) -> RepositoryReload | None:
    """None where somebody else loads models."""
    if settings.triton_http is None:
        return None
    proving = verifier_of(settings)
    return RepositoryReload(RepositoryApi(settings.triton_http), verify=None if proving is None else proving.model)


def verifier_of(settings: ServingSettings) -> Verifier | None:
    """Who proves signatures before anything is loaded; nobody where no keys are trusted."""
    if settings.trusted_keys is None:
        return None
    places = (settings.releases, settings.model_repository)
    return Verifier(settings.trusted_keys, *places, today=lambda: datetime.now(UTC).date())


def open_embedder(settings: ServingSettings, release: Release) -> Embedder:
    """The release's model, in Triton where an address is given; it has answered its golden photos."""
    folder = settings.model_repository / release.model
    if settings.triton_url is None:
        # One thread per photo: searches run side by side, and onnxruntime's own threads would only compete.
        return choose_embedder(folder, no_triton="no Triton address is set", threads=1).embedder
    from lookalike.embedders.triton import TritonEmbedder  # with KServe's client: seconds that others need not spend

    connect = partial(TritonEmbedder, settings.triton_url, folder)
    reload = reload_by(settings)
    if reload is not None:
        reload(release.model, lambda: connect().close())
    return AdmittedEmbedder(connect(), release.model)


def open_features(settings: ServingSettings, release: Release) -> FeatureLookup:
    """The release's feature service in Feast; a store that is away costs the answers their features, not the start."""
    return FeastLookup(settings.feature_store, release.feature_service, must_answer=False)


def _drawn_photo() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    return file.getvalue()
