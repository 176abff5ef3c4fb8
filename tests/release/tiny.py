"""A real but tiny MobileNet behind the signature of the serving module, exported once for all tests."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import MobileNetV2Config, MobileNetV2Model

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

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = MobileNetV2Config(depth_multiplier=0.25, image_size=32, finegrained_output=False)
        self.encoder = MobileNetV2Model(config)
        self.project = nn.Linear(320, DIMENSION)
        self.heads = nn.ModuleList(nn.Linear(320, len(values)) for values in LABELS.values())
        for layer in self.modules():  # transformers' small random weights would tell no photos apart
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
        with torch.no_grad():  # BatchNorm learns its statistics
            self.train()
            self.forward(torch.from_numpy(photos(32, seed=seed)))
        self.eval()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        images = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1  # (B, 3, H, W)
        features = self.encoder(images).pooler_output  # (B, 320)
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
    folder = Path(tempfile.mkdtemp(prefix="lookalike-tiny-")) / "exported"
    return export_to(folder, seed)


def export_to(folder: Path, seed: int, settings: ExportSettings = SETTINGS) -> Path:
    run_stage(
        "export",
        folder,
        inputs={},
        settings={"seed": seed},
        content=["model.json", "golden.json"],
        work=lambda aside: write_model(aside, TinyModel(seed), identity(seed), photos(16), settings),
    )
    return folder
