"""Put an exported model into a Triton repository, whole or not at all."""

import shutil
from collections.abc import Collection
from pathlib import Path

from lookalike.embedders.model_folder import GOLDEN, MODEL, ONNX, VERSION, ExportedModel, load_model
from lookalike.errors import ReleaseError
from lookalike.storage import atomic_folder, digest_files, read_seal, remove_folder

CONFIG = "config.pbtxt"
SERVED = (CONFIG, f"{VERSION}/{ONNX}")
"""What Triton reads; under one name it never changes."""
BESIDE = (MODEL, GOLDEN)
"""What the model's clients check it by."""


def publish_model(exported: Path, model_repository: Path) -> Path:
    """Copy a sealed export into the repository; returns the model's folder.

    Publishing the same model again changes nothing. Raises ReleaseError when the name is taken by another
    file or configuration: a server may be answering from it.
    """
    read_seal(exported)
    model = load_model(exported)
    target = model_repository / model.name
    if target.exists():
        _require_same(exported / model.name, target)
        return target
    with atomic_folder(target) as aside:
        _copy(exported, model, aside)
    return target


def published_models(model_repository: Path) -> list[str]:
    """Names of the models published here, sorted; other models of the repository are not ours to list."""
    return sorted(path.parent.name for path in model_repository.glob(f"*/{MODEL}") if path.parent.name[0] != ".")


def remove_models(model_repository: Path, keep: Collection[str]) -> list[str]:
    """Remove every published model not named in `keep`; returns their names. Unload them in Triton first."""
    old = [name for name in published_models(model_repository) if name not in keep]
    for name in old:
        remove_folder(model_repository / name)
    return old


def _require_same(offered: Path, published: Path) -> None:
    missing = [name for name in SERVED if not (published / name).is_file()]
    if missing or digest_files(published, SERVED) != digest_files(offered, SERVED):
        raise ReleaseError(
            f"{published} already holds another file or configuration under this name; "
            "remove that model first, if nothing serves it"
        )


def _copy(exported: Path, model: ExportedModel, target: Path) -> None:
    (target / VERSION).mkdir()
    for name in SERVED:
        shutil.copyfile(exported / model.name / name, target / name)
    for name in BESIDE:
        shutil.copyfile(exported / name, target / name)
