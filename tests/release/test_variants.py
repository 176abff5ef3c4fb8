"""Rounded copies of a model: near it, never taken for it, refused when they lose too much."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from lookalike.catalog.splits import SplitSettings, split
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ExportError, ParityError, ReleaseMismatch
from lookalike.evaluation.bootstrap import Estimate
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.release.export import VARIANTS, ExportSettings, export
from lookalike.release.parity import ParitySettings
from lookalike.release.parts import ReleaseParts
from lookalike.release.rounding import ROUNDED, weights_digest
from lookalike.release.triton_config import TritonSettings
from lookalike.release.variants import Variant, VariantSettings
from tests.evaluation.shop import make_shop
from tests.release.checkpoints import make_checkpoint
from tests.release.tiny import PREPROCESSING

LENIENT = VariantSettings(
    calibration_photos=16,
    evaluation=EvaluationSettings(split="validation", damaged_queries=12, distractors=0, repeats=100),
    precision_tolerance=1,
    recall_tolerance=1,
)
SMALL = {"triton": TritonSettings(max_batch_size=4, preferred_batch_sizes=(4,)), "parity": ParitySettings(photos=10)}


def chosen(**variants: object) -> ExportSettings:
    return ExportSettings(**SMALL, variants=LENIENT.model_copy(update=variants))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A checkpoint of a tiny ResNet, a catalogue of 48 products, and its splits."""
    root = tmp_path_factory.mktemp("parts")
    make_shop(root / "validated", products=48)
    make_checkpoint(root / "checkpoint")
    split(root / "validated", root / "splits", SplitSettings(validation=0.3, titles=False))
    return root / "checkpoint", root / "validated", root / "splits"


@pytest.fixture(scope="module")
def full(parts: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("full") / "exported"
    export(parts[0], parts[1], output, chosen(measured=ROUNDED), splits=parts[2])
    return output


@pytest.fixture(scope="module", params=ROUNDED)
def rounded(
    request: pytest.FixtureRequest, parts: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp(request.param) / "exported"
    export(parts[0], parts[1], output, chosen(published=request.param), splits=parts[2])
    return output


def photos(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 24, 3), dtype=np.uint8)


def test_a_rounded_copy_answers_nearly_as_the_full_model_does(full: Path, rounded: Path) -> None:
    expected, found = (OnnxEmbedder(folder).embed(photos(6)).vectors for folder in (full, rounded))
    cosines = (expected * found).sum(axis=1)
    assert cosines.min() > 0.99
    assert not np.array_equal(expected, found)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_rounded_copy_is_another_model(full: Path, rounded: Path) -> None:
    whole, copy = load_model(full), load_model(rounded)
    assert (whole.precision, whole.rounded_from) == ("float32", None)
    assert copy.rounded_from == whole.fingerprint
    assert copy.fingerprint != whole.fingerprint
    assert copy.name == f"embedder_{copy.fingerprint[:12]}"
    with pytest.raises(ReleaseMismatch):
        copy.identity.require(whole.fingerprint, "a collection of the full model's vectors")


def test_the_copy_s_identity_is_that_of_its_own_numbers(rounded: Path) -> None:
    copy = load_model(rounded)
    proto = onnx.load(str(onnx_file(rounded, copy)))
    assert weights_digest(proto) == copy.weights
    proto.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.zeros(3), proto.graph.initializer[0].name))
    assert weights_digest(proto) != copy.weights


def test_the_convolutions_are_what_is_rounded(full: Path, rounded: Path) -> None:
    copy = load_model(rounded)
    stored = onnx.load(str(onnx_file(rounded, copy))).graph.initializer
    kernels = {tensor.data_type for tensor in stored if len(tensor.dims) == 4 and np.prod(tensor.dims) > 50}
    kinds = {"float16": onnx.TensorProto.FLOAT16, "int8": onnx.TensorProto.INT8}
    assert kernels == {kinds.get(copy.precision, onnx.TensorProto.FLOAT)}, "TensorRT rounds kernels itself, by their Q"


@pytest.fixture(scope="module")
def for_tensorrt(
    parts: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[onnx.GraphProto, dict[str, np.ndarray]]:
    """The copy's graph, and what it has stored."""
    output = tmp_path_factory.mktemp("tensorrt") / "exported"
    export(parts[0], parts[1], output, chosen(published="int8_tensorrt"), splits=parts[2])
    graph = onnx.load(str(onnx_file(output, load_model(output)))).graph
    return graph, {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def test_tensorrt_gets_signed_integers_around_zero(
    for_tensorrt: tuple[onnx.GraphProto, dict[str, np.ndarray]],
) -> None:
    graph, stored = for_tensorrt
    points = [stored[node.input[2]] for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert points
    assert {point.dtype for point in points} == {np.dtype(np.int8)}, "also no bias in 32 bits"
    assert all(not point.any() for point in points)


def test_every_convolution_for_tensorrt_reads_what_was_rounded_a_scale_for_each_channel(
    for_tensorrt: tuple[onnx.GraphProto, dict[str, np.ndarray]],
) -> None:
    graph, stored = for_tensorrt
    made_by = {name: node for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    for node in convolutions:
        photo, kernel = (made_by[name] for name in node.input[:2])
        assert photo.op_type == kernel.op_type == "DequantizeLinear"
        weights = stored[made_by[kernel.input[0]].input[0]]
        assert stored[kernel.input[1]].shape == (len(weights),)
        assert stored[photo.input[1]].shape == ()


def test_what_makes_the_vector_is_not_rounded_for_tensorrt(
    for_tensorrt: tuple[onnx.GraphProto, dict[str, np.ndarray]],
) -> None:
    graph, _ = for_tensorrt
    readers = {name: node.op_type for node in graph.node for name in node.input}
    rounded = {readers[node.output[0]] for node in graph.node if node.op_type == "DequantizeLinear"}
    assert rounded <= {"Conv", "Add"}


def test_the_same_checkpoint_makes_the_same_copy(full: Path, rounded: Path) -> None:
    copy = load_model(rounded)
    assert json.loads((full / VARIANTS).read_text())[copy.precision]["fingerprint"] == copy.fingerprint


def test_the_report_says_what_each_copy_loses(full: Path) -> None:
    report = json.loads((full / VARIANTS).read_text())
    assert list(report) == [*ROUNDED]
    for copy in report.values():
        difference = copy["differences"]["fine_precision_at_4"]
        found = copy["rounded"]["fine_precision_at_4"] - copy["float32"]["fine_precision_at_4"]
        assert difference["value"] == pytest.approx(found)
        assert difference["interval"][0] <= difference["value"] <= difference["interval"][1]
        assert 0.99 < copy["min_cosine"] <= copy["mean_cosine"] <= 1.00001
    card = (full / "model_card.md").read_text()
    assert "## Rounded copies" in card
    assert "| int8 |" in card and "| int8_tensorrt |" in card


def measured(mean_cosine: float, precision: tuple[float, float] | None, recall: tuple[float, float] | None) -> Variant:
    """A copy of which these intervals were found."""
    found = {"fine_precision_at_4": precision, "known_item_recall_at_10": recall}
    estimates = {name: Estimate(0.0, 9, interval) for name, interval in found.items()}
    identity = ModelIdentity("weights", PREPROCESSING, 8, {})
    return Variant("int8", Path("int8.onnx"), identity, mean_cosine, 0.9, 1.0, {}, {}, estimates)


def test_a_copy_that_loses_more_than_it_may_is_refused() -> None:
    bounds = VariantSettings(min_cosine=0.99, precision_tolerance=0.02, recall_tolerance=0.02)
    measured(0.99, (-0.02, 0.01), (-0.02, 0.0)).require(bounds)
    for variant, words in (
        (measured(0.98, (0, 0), (0, 0)), r"mean cosine 0\.98000 \(at least 0\.99\)"),
        (measured(float("nan"), (0, 0), (0, 0)), r"mean cosine nan"),
        (
            measured(1.0, (-0.03, 0.1), (0, 0)),
            r"difference of fine_precision_at_4 down to -0\.0300 ",
        ),
        (measured(1.0, (0, 0), (-0.03, 0.1)), r"difference of known_item_recall_at_10 down to -0\.0300"),
        (measured(1.0, (0, 0), None), r"difference of known_item_recall_at_10 unknown"),
    ):
        with pytest.raises(ParityError, match=rf"the int8 copy loses too much against float32: {words}"):
            variant.require(bounds)


def test_a_refused_copy_leaves_nothing_behind(parts: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="the float16 copy loses too much"):
        export(parts[0], parts[1], tmp_path / "exported", chosen(published="float16", min_cosine=1.1), splits=parts[2])
    assert list(tmp_path.iterdir()) == []


def test_without_splits_there_is_nothing_to_judge_a_copy_on(parts: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="int8 copies are judged on a split"):
        export(parts[0], parts[1], tmp_path / "exported", chosen(published="int8"))


def test_a_copy_is_released_on_the_evaluation_of_the_model_it_was_made_from(full: Path, rounded: Path) -> None:
    copy, whole = load_model(rounded), load_model(full)
    check = ReleaseParts._require_evaluation
    assert copy.rounded_from == whole.fingerprint
    for evaluated, accepted in ((whole.fingerprint, True), (copy.fingerprint, True), ("0" * 64, False)):
        folder = rounded.parent / f"evaluation-{evaluated[:6]}"
        folder.mkdir(exist_ok=True)
        (folder / "report.json").write_text(json.dumps({"models": {"challenger": evaluated}}))
        (folder / "promotion.json").write_text('{"promote": true, "reasons": []}')
        given = ReleaseParts(*(folder,) * 5)
        if accepted:
            check(given, copy)
        else:
            with pytest.raises(ReleaseMismatch):
                check(given, copy)
