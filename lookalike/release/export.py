"""Export: from a checkpoint to a model Triton can serve, proven equal to the trained one."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from pydantic import model_validator
from torch import nn

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.config import StrictConfig
from lookalike.embedders.golden import Golden, golden_pixels
from lookalike.embedders.model_folder import CHECKPOINT, GOLDEN, MODEL, ONNX, VERSION, ExportedModel, onnx_file
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
from lookalike.release.variants import Variant, VariantSettings, make_variants
from lookalike.storage import StageRecord, digest_file, run_stage, write_json
from lookalike.training.checkpoint import load_checkpoint

CARD = "model_card.md"
VARIANTS = "variants.json"
"""What each rounded copy that was asked for loses."""


class ExportSettings(StrictConfig):
    """How the model is exported and proven."""

    triton: TritonSettings = TritonSettings()
    """How Triton runs it."""
    parity: ParitySettings = ParitySettings()
    """How closely it has to repeat PyTorch."""
    variants: VariantSettings = VariantSettings()
    """Copies in smaller numbers, and whether one of them is what is published."""
    heads: bool = True
    """Whether the attribute heads go along; without them the model answers with the embedding alone. The vectors, and
    so the fingerprint, are the same."""

    @model_validator(mode="after")
    def _tensorrt_reads_it(self) -> "ExportSettings":
        if self.triton.device == "gpu" and self.variants.published == "int8":
            raise ValueError(
                "variants.published is int8, which TensorRT cannot read; on a gpu int8_tensorrt is accepted"
            )
        return self


MakeVariants = Callable[[Path, Path], list[Variant]]
"""From the float32 file and a folder to write in."""


def export(
    checkpoint: Path,
    validated: Path,
    output: Path,
    settings: ExportSettings | None = None,
    *,
    splits: Path | None = None,
) -> StageRecord:
    """Write the trained model as ONNX with its Triton configuration, golden vectors and card.

    `splits` is needed for rounded copies: they are calibrated on the train split and judged on validation. Raises
    ParityError when onnxruntime does not repeat PyTorch on catalogue photos, or the published copy loses too much.
    """
    settings = settings or ExportSettings()
    network, trained = load_checkpoint(checkpoint)
    identity = trained.identity if settings.heads else replace(trained.identity, attribute_labels={})
    rounded = _judged_with(splits, settings)

    def variants(full: Path, scratch: Path) -> list[Variant]:
        return make_variants(full, identity, validated, rounded["splits"], settings.variants, scratch)

    def work(folder: Path) -> dict[str, Any]:
        photos = parity_photos(load_catalogue(validated), identity.preprocessing, settings.parity.photos)
        module = ServingModel(network, identity.preprocessing)
        figures = write_model(folder, module, identity, photos, settings, variants if rounded else _no_variants)
        shutil.copytree(checkpoint, folder / CHECKPOINT)
        return figures

    return run_stage(
        "export",
        output,
        inputs={"checkpoint": checkpoint, "validated": validated, **rounded},
        settings=settings.model_dump(mode="json"),
        content=[MODEL, GOLDEN, *_served(identity, settings)],
        work=work,
    )


def _judged_with(splits: Path | None, settings: ExportSettings) -> dict[str, Path]:
    """The input that only rounded copies read."""
    if not settings.variants.wanted:
        return {}
    if splits is None:
        raise ExportError(
            f"{', '.join(settings.variants.wanted)} copies are judged on a split; name the splits' folder"
        )
    return {"splits": splits}


def _served(identity: ModelIdentity, settings: ExportSettings) -> list[str]:
    """What Triton reads; a rounded copy's name is known when it is made, its bytes by the digest in model.json."""
    name = model_name(identity.fingerprint)
    return [f"{name}/{CONFIG}", f"{name}/{VERSION}/{ONNX}"] if settings.variants.published == "float32" else []


def _no_variants(full: Path, scratch: Path) -> list[Variant]:
    return []


def parity_photos(catalogue: Catalogue, preprocessing: Preprocessing, count: int) -> NDArray[np.uint8]:
    """(N, H, W, 3) pixels of at most `count` gallery photos, spread evenly over the catalogue."""
    ids = catalogue.gallery_photos["photo_id"].tolist()
    if not ids:
        raise ExportError(f"{catalogue.folder} has no photos to compare the models on")
    picked = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).astype(int))
    contents = catalogue.photo_contents([ids[index] for index in picked])
    return preprocessing.batch(list(contents.values()))


def write_model(
    folder: Path,
    module: nn.Module,
    identity: ModelIdentity,
    photos: NDArray[np.uint8],
    settings: ExportSettings,
    variants: MakeVariants = _no_variants,
) -> dict[str, Any]:
    """Fill a folder with the exported model and prove it on (N, H, W, 3) photos; returns the figures."""
    with tempfile.TemporaryDirectory(prefix="lookalike-export-") as scratch:
        path = Path(scratch) / ONNX
        export_onnx(module, identity, path)
        parity = _proven(torch_answer(module, identity), onnx_answer(open_session(path), identity), photos, settings)
        made = variants(path, Path(scratch))
        rounded = _published(made, settings)
        if rounded is None:
            model = _describe(identity, path, parity, settings)
        else:
            path, origin = rounded.path, {"precision": rounded.precision, "rounded_from": identity.fingerprint}
            model = _describe(rounded.identity, path, parity, settings, **origin)
        _fill(folder, path, model, settings)
        _report(folder, model, made, settings)
    OnnxEmbedder(folder)  # whoever opens it later will find it whole
    return {
        "model": model.name,
        "onnx_megabytes": round(onnx_file(folder, model).stat().st_size / 1e6, 3),
        **model.parity,
    }


def _published(made: Sequence[Variant], settings: ExportSettings) -> Variant | None:
    """The copy to publish, None for float32. Raises ParityError when it loses too much."""
    for variant in made:
        if variant.precision == settings.variants.published:
            variant.require(settings.variants)
            return variant
    return None


def _fill(folder: Path, path: Path, model: ExportedModel, settings: ExportSettings) -> None:
    """What is served and what it is checked by."""
    target = folder / model.name / VERSION / ONNX
    target.parent.mkdir(parents=True)
    shutil.copyfile(path, target)
    config = config_text(model.name, model.identity, settings.triton, settings.variants.published)
    (folder / model.name / CONFIG).write_text(config, encoding="utf-8")
    vectors = onnx_answer(open_session(target), model.identity)(golden_pixels(model.preprocessing))[0]
    write_json(folder / MODEL, model.model_dump(mode="json"))
    write_json(folder / GOLDEN, Golden(fingerprint=model.fingerprint, vectors=vectors.tolist()).model_dump())


def _report(folder: Path, model: ExportedModel, made: Sequence[Variant], settings: ExportSettings) -> None:
    reports: dict[str, Any] = {variant.precision: variant.report(settings.variants) for variant in made}
    if reports:
        write_json(folder / VARIANTS, reports)
    (folder / CARD).write_text(model_card(model, reports, settings.triton), encoding="utf-8")


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
    identity: ModelIdentity, path: Path, parity: Parity, settings: ExportSettings, **rounded: str
) -> ExportedModel:
    return ExportedModel.of(
        identity,
        model_name(identity.fingerprint),
        max_batch_size=settings.triton.max_batch_size,
        opset=OPSET,
        onnx_sha256=digest_file(path),
        parity=parity.figures(),
        **rounded,
    )
