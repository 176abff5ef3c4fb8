"""A tiny real network behind the signature of the serving module, exported once for all tests."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.protocol import ModelIdentity
from lookalike.release.export import ExportSettings, write_model
from lookalike.release.parity import ParitySettings
from lookalike.release.triton_config import TritonSettings
from lookalike.storage import digest_json, run_stage

PREPROCESSING = Preprocessing(height=32, width=24)
LABELS = {"type": ["boot", "bag", "shirt"], "colour": ["white", "black"]}  # in no alphabetical order
DIMENSION = 16
SETTINGS = ExportSettings(
    triton=TritonSettings(max_batch_size=8, preferred_batch_sizes=(4, 8)), parity=ParitySettings(photos=16)
)


class TinyModel(nn.Module):
    """uint8 (B, H, W, 3) to unit vectors (B, D) and attribute probabilities (B, 5)."""

    def __init__(self, seed: int, encoder: nn.Module | None = None, features: int = 8 * 8 * 6) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder = encoder or nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.GELU(), nn.Flatten())
        self.project = nn.Linear(features, DIMENSION)
        self.heads = nn.ModuleList(nn.Linear(features, len(values)) for values in LABELS.values())
        self.eval()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        images = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1  # (B, 3, H, W)
        features = self.encoder(images)  # (B, F)
        vectors = nn.functional.normalize(self.project(features), dim=1)
        return vectors, torch.cat([head(features).softmax(1) for head in self.heads], dim=1)


def photos(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, H, W, 3) blocks of colour, different for every seed."""
    grid = np.random.default_rng(seed).integers(0, 256, (count, 8, 6, 3), dtype=np.uint8)
    return grid.repeat(4, axis=1).repeat(4, axis=2)


def identity(seed: int) -> ModelIdentity:
    return ModelIdentity(digest_json({"tiny": seed}), PREPROCESSING, DIMENSION, LABELS)


@cache
def exported(seed: int = 0) -> Path:
    """A sealed export; tests that change files work on a copy."""
    root = Path(tempfile.mkdtemp(prefix="lookalike-tiny-"))
    atexit.register(shutil.rmtree, root)
    folder = root / "exported"
    run_stage(
        "export",
        folder,
        inputs={},
        settings={"seed": seed},
        content=["model.json", "golden.json"],
        work=lambda aside: write_model(aside, TinyModel(seed), identity(seed), photos(16), SETTINGS),
    )
    return folder
