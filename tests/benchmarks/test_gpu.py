"""The measurement on a GPU: refused without one, and held to itself on a processor."""

from pathlib import Path

import pytest
import torch

from benchmarks.cluster import gpu
from benchmarks.cluster.gpu_candidates import require_device
from benchmarks.study import Skipped
from lookalike.catalog.splits import SplitSettings, split
from lookalike.release.export import ExportSettings, export
from lookalike.release.parity import ParitySettings
from tests.evaluation.shop import make_shop
from tests.release.checkpoints import make_checkpoint


def test_without_a_gpu_nothing_is_measured_and_the_reason_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    places = [word for name in ("exported", "validated", "splits") for word in (f"--{name}", str(tmp_path))]
    monkeypatch.setattr("sys.argv", ["gpu", *places])
    assert gpu.main() == 2
    assert "gpu: no GPU is here (PyTorch sees none), so nothing was measured" in capsys.readouterr().err
    with pytest.raises(Skipped):
        require_device("cuda")


@pytest.mark.slow
def test_on_a_processor_both_ways_answer_alike_and_every_batch_is_timed(tmp_path: Path) -> None:
    validated, checkpoint, splits = (tmp_path / name for name in ("validated", "checkpoint", "splits"))
    make_shop(validated, products=48)
    make_checkpoint(checkpoint)
    split(validated, splits, SplitSettings(validation=0.3, titles=False))
    export(checkpoint, validated, tmp_path / "exported", ExportSettings(parity=ParitySettings(photos=10)))
    figures = gpu.measure(tmp_path / "exported", validated, splits, "cpu", quick=True)
    assert {key.split("_")[0] for key in figures} == {"cpu"}, "nothing is said of a GPU"
    assert figures["cpu_onnxruntime_cosine_least"].value == pytest.approx(1, abs=1e-5)
    assert figures["cpu_onnxruntime_recall_change"].value == 0
    for batch in gpu.BATCHES:
        p50, p99 = (figures[f"cpu_onnxruntime_p{share}_ms_{batch}"].value for share in (50, 99))
        assert p50 is not None and p99 is not None and 0 < p50 <= p99
        assert figures[f"cpu_pytorch_ratio_{batch}"].value == 1


def test_the_rate_of_a_batch_is_its_photos_over_its_time() -> None:
    figures = gpu.speeds({"pytorch": [8.0, 8.0], "other": [2.0, 6.0]}, 32, "a machine")
    assert figures["pytorch_images_per_s_32"].value == pytest.approx(4_000)
    assert figures["other_images_per_s_32"].value == pytest.approx(8_000)
    assert figures["other_ratio_32"].value == pytest.approx(2)
