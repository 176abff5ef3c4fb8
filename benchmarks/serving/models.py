"""The models that are served: exports of trained ones that were given, or untrained ones made here."""

from pathlib import Path

import torch

from benchmarks.embedding.settings import Frozen
from benchmarks.serving.plan import Plan
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.model_folder import GOLDEN, MODEL
from lookalike.embedders.protocol import ModelIdentity
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.encoder import build_encoder
from lookalike.models.serving import ServingModel
from lookalike.release.export import ExportSettings, parity_photos, write_model
from lookalike.storage import digest_bytes, digest_json, run_stage
from lookalike.training.checkpoint import tensors_of

DIMENSION = 192
"""D of the models made here: that of the recipes."""


def released_models(plan: Plan) -> list[Path]:
    """Exports of two models: those given, else two untrained ones that differ in their last layers."""
    if plan.models:
        return list(plan.models)
    return [mobile_model(plan, seed) for seed in range(2)]


def mobile_model(plan: Plan, seed: int = 0) -> Path:
    """The usual mobile backbone as it comes, under a random projection and random heads for the catalogue's
    attributes; kept once made."""
    output, settings = plan.places.exported(f"mobile_{seed}"), plan.study.mobile
    catalogue = load_catalogue(plan.places.validated)
    run_stage(
        "bench-serving-model",
        output,
        inputs={"validated": plan.places.validated},
        settings={"model": settings.model_dump(mode="json"), "seed": seed},
        content=[MODEL, GOLDEN],
        work=lambda folder: _export(folder, catalogue, settings, seed, plan.encoders),
    )
    return output


def _export(folder: Path, catalogue: Catalogue, settings: Frozen, seed: int, encoders: Path) -> dict[str, float]:
    size, labels = settings.preprocessing, {name: catalogue.attribute_values(name) for name in catalogue.attributes}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder(settings.encoder, (encoders,))
        features = encoder.feature_count(size.height, size.width)
        network = EmbeddingNetwork(encoder, features, DIMENSION, [len(values) for values in labels.values()])
    weights = {name: digest_bytes(value.numpy().tobytes()) for name, value in tensors_of(network).items()}
    identity = ModelIdentity(digest_json(weights), size, DIMENSION, labels)
    chosen = ExportSettings()
    photos = parity_photos(catalogue, size, chosen.parity.photos)
    return write_model(folder, ServingModel(network, size), identity, photos, chosen)
