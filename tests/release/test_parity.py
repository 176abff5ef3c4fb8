from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import MobileNetV1Config, MobileNetV1Model

from lookalike.embedders.onnx import open_session
from lookalike.errors import ParityError
from lookalike.release.export import onnx_answer, torch_answer
from lookalike.release.onnx_export import export_onnx
from lookalike.release.parity import TIE, ParitySettings, measure_parity, neighbour_overlap
from tests.release.tiny import TinyModel, identity, photos


class MobileNet(nn.Module):
    """A real encoder with random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = MobileNetV1Model(MobileNetV1Config(depth_multiplier=0.25))
        for layer in self.body.modules():  # transformers' small random weights would tell no photos apart
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, images: Tensor) -> Tensor:
        return self.body(images).pooler_output


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def random_vectors(count: int) -> NDArray[np.float32]:
    return unit(np.random.default_rng(0).standard_normal((count, 8)).astype(np.float32))


def test_an_exported_mobilenet_repeats_pytorch_at_every_batch_size(tmp_path: Path) -> None:
    model = TinyModel(0, MobileNet(), features=256)
    export_onnx(model, identity(0), tmp_path / "model.onnx")
    exported = onnx_answer(open_session(tmp_path / "model.onnx"), identity(0))
    parity = measure_parity(torch_answer(model, identity(0)), exported, photos(20), [1, 2, 7, 8])
    assert parity.max_difference < 1e-5
    assert parity.min_cosine > 0.99999
    assert parity.overlap == 1


def test_a_model_that_is_wrong_for_single_photos_alone_is_caught() -> None:
    right = torch_answer(TinyModel(0), identity(0))

    def wrong_alone(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        vectors, *rest = right(pixels)
        return [vectors if len(pixels) > 1 else -vectors, *rest]

    measure_parity(right, wrong_alone, photos(8), [2, 8]).require(ParitySettings())
    with pytest.raises(ParityError, match=r"least cosine -1\.0+ \(at least 0\.9999\)"):
        measure_parity(right, wrong_alone, photos(8), [1, 2, 8]).require(ParitySettings())


def test_a_model_that_answers_nan_is_caught() -> None:
    right = torch_answer(TinyModel(0), identity(0))
    with pytest.raises(ParityError, match="largest difference nan"):
        measure_parity(right, lambda pixels: [x * np.nan for x in right(pixels)], photos(4), [4]).require(
            ParitySettings()
        )


def test_attributes_are_compared_too() -> None:
    right = torch_answer(TinyModel(0), identity(0))

    def rolled(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        vectors, probabilities = right(pixels)
        return [vectors, np.roll(probabilities, 1, axis=1)]

    with pytest.raises(ParityError, match="largest difference"):
        measure_parity(right, rolled, photos(4), [4]).require(ParitySettings())


def test_overlap_counts_common_neighbours_as_a_naive_loop_does() -> None:
    expected, found = random_vectors(30), unit(random_vectors(30) + 0.5)
    shares = []
    for row in range(30):
        others = [other for other in range(30) if other != row]
        near = sorted(others, key=lambda other: -(expected[row] @ expected[other]))[:10]
        also = sorted(others, key=lambda other: -(found[row] @ found[other]))[:10]
        shares.append(len(set(near) & set(also)) / 10)
    assert neighbour_overlap(expected, found) == pytest.approx(np.mean(shares), abs=0.005)
    assert 0.2 < np.mean(shares) < 0.9


def test_a_tie_broken_the_other_way_is_no_disagreement() -> None:
    angles = np.linspace(0, 1, 12)
    angles[11] = angles[10] + TIE / 100
    expected = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    swapped = expected.copy()
    swapped[[10, 11]] = swapped[[11, 10]]
    assert neighbour_overlap(expected, swapped) == 1
    assert neighbour_overlap(expected[:1], swapped[:1]) == 1
