"""Export: from a checkpoint to a model Triton can serve, proven equal to the trained one."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.config import StrictConfig
from lookalike.embedders.golden import Golden, golden_pixels
from lookalike.embedders.model_folder import GOLDEN, MODEL, ONNX, VERSION, ExportedModel
from lookalike.embedders.onnx import OnnxEmbedder, open_session
from lookalike.embedders.protocol import ModelIdentity
from lookalike.embedders.tensors import PIXELS, output_names
from lookalike.errors import ExportError
from lookalike.models.serving import ServingModel
from lookalike.release.manifest import model_name
from lookalike.release.model_card import model_card
from lookalike.release.onnx_export import OPSET, export_onnx
from lookalike.release.parity import Answer, Parity, ParitySettings, measure_parity
from lookalike.release.publish import CONFIG
from lookalike.release.triton_config import TritonSettings, config_text
from lookalike.storage import StageRecord, digest_file, run_stage, write_json
from lookalike.training.checkpoint import load_checkpoint

CARD = "model_card.md"
CHECKPOINT = "checkpoint"
"""The checkpoint travels with the model: the next training continues from it, the next gate compares with it."""


class ExportSettings(StrictConfig):
    """How the model is exported and proven."""

    triton: TritonSettings = TritonSettings()
    """How Triton runs it."""
    parity: ParitySettings = ParitySettings()
    """How closely it has to repeat PyTorch."""
    heads: bool = True
    """Whether the attribute heads go along; without them the model answers with the embedding alone. The vectors, and
    so the fingerprint, are the same."""


def export(checkpoint: Path, validated: Path, output: Path, settings: ExportSettings | None = None) -> StageRecord:
    """Write the trained model as ONNX with its Triton configuration, golden vectors and card.

    Raises ParityError when onnxruntime does not repeat PyTorch on catalogue photos.
    """
    settings = settings or ExportSettings()
    network, trained = load_checkpoint(checkpoint)
    identity = trained.identity if settings.heads else replace(trained.identity, attribute_labels={})
    name = model_name(identity.fingerprint)

    def work(folder: Path) -> dict[str, Any]:
        photos = parity_photos(load_catalogue(validated), identity.preprocessing, settings.parity.photos)
        figures = write_model(folder, ServingModel(network, identity.preprocessing), identity, photos, settings)
        shutil.copytree(checkpoint, folder / CHECKPOINT)
        return figures

    return run_stage(
        "export",
        output,
        inputs={"checkpoint": checkpoint, "validated": validated},
        settings=settings.model_dump(mode="json"),
        content=[MODEL, GOLDEN, f"{name}/{CONFIG}", f"{name}/{VERSION}/{ONNX}"],
        work=work,
    )


def parity_photos(catalogue: Catalogue, preprocessing: Preprocessing, count: int) -> NDArray[np.uint8]:
    """(N, H, W, 3) pixels of at most `count` gallery photos, spread evenly over the catalogue."""
    ids = catalogue.gallery_photos["photo_id"].tolist()
    if not ids:
        raise ExportError(f"{catalogue.folder} has no photos to compare the models on")
    picked = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).astype(int))
    contents = catalogue.photo_contents([ids[index] for index in picked])
    return preprocessing.batch(list(contents.values()))


def write_model(
    folder: Path, module: nn.Module, identity: ModelIdentity, photos: NDArray[np.uint8], settings: ExportSettings
) -> dict[str, Any]:
    """Fill a folder with the exported model and prove it on (N, H, W, 3) photos; returns the figures."""
    name = model_name(identity.fingerprint)
    path = folder / name / VERSION / ONNX
    path.parent.mkdir(parents=True)
    export_onnx(module, identity, path)
    (folder / name / CONFIG).write_text(config_text(name, identity, settings.triton), encoding="utf-8")
    exported = onnx_answer(open_session(path), identity)
    parity = _proven(torch_answer(module, identity), exported, photos, settings)
    model = _describe(name, identity, path, parity, settings)
    vectors = exported(golden_pixels(identity.preprocessing))[0]
    write_json(folder / MODEL, model.model_dump(mode="json"))
    write_json(folder / GOLDEN, Golden(fingerprint=identity.fingerprint, vectors=vectors.tolist()).model_dump())
    (folder / CARD).write_text(model_card(model), encoding="utf-8")
    OnnxEmbedder(folder)  # whoever opens it later will find it whole
    return {"model": name, "onnx_megabytes": round(path.stat().st_size / 1e6, 3), **model.parity}


def torch_answer(module: nn.Module, identity: ModelIdentity) -> Answer:
    """A serving module as a function on arrays."""
    count = len(output_names(identity))
    module.eval()

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            return [output.numpy() for output in module(torch.from_numpy(pixels))[:count]]

    return run


def onnx_answer(session: onnxruntime.InferenceSession, identity: ModelIdentity) -> Answer:
    """An ONNX session as a function on arrays."""
    names = output_names(identity)
    return lambda pixels: session.run(names, {PIXELS: pixels})


def _proven(trained: Answer, exported: Answer, photos: NDArray[np.uint8], settings: ExportSettings) -> Parity:
    sizes = [*settings.parity.batch_sizes, settings.triton.max_batch_size]
    parity = measure_parity(trained, exported, photos, sizes)
    parity.require(settings.parity)
    return parity


def _describe(
    name: str, identity: ModelIdentity, path: Path, parity: Parity, settings: ExportSettings
) -> ExportedModel:
    return ExportedModel(
        name=name,
        fingerprint=identity.fingerprint,
        weights=identity.weights,
        preprocessing=identity.preprocessing,
        dimension=identity.dimension,
        attribute_labels=list(identity.attribute_labels.items()),
        max_batch_size=settings.triton.max_batch_size,
        opset=OPSET,
        onnx_sha256=digest_file(path),
        parity=parity.figures(),
    )
