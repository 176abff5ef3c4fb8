"""What the 8-bit copy for TensorRT loses: `int8_tensorrt_*`, computed by onnxruntime on a processor.

The copy's graph says where numbers are rounded and to what, so its losses show wherever it is computed; how fast
TensorRT is with it can be measured on a GPU only.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.results import RESULTS, Figure, record
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.errors import LookalikeError
from lookalike.evaluation.bootstrap import Estimate
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.release.variants import PRECISION, RECALL, Variant, VariantSettings, make_variants

COMMAND = "python -m benchmarks.cluster.integers --exported FOLDER --validated FOLDER --splits FOLDER"
KEYS = {PRECISION: "int8_tensorrt_precision_change", RECALL: "int8_tensorrt_recall_change"}
QUICK = EvaluationSettings(split="validation", damaged_queries=50, distractors=0, repeats=100)


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    chosen = _parser().parse_args()
    settings = VariantSettings(published="int8_tensorrt")
    if chosen.quick:
        settings = settings.model_copy(update={"evaluation": QUICK})
    try:
        with tempfile.TemporaryDirectory() as scratch:
            identity = load_model(chosen.exported).identity
            full = onnx_file(chosen.exported, load_model(chosen.exported))
            [made] = make_variants(full, identity, chosen.validated, chosen.splits, settings, Path(scratch))
            figures = measured(made, settings)
            record("cluster", figures, Path(scratch) if chosen.quick else RESULTS)
    except LookalikeError as error:
        sys.stderr.write(f"integers: {error}\n")
        return 2
    return 0


def measured(made: Variant, settings: VariantSettings) -> dict[str, Figure]:
    """The figures, each against the bound beyond which the copy would not be published."""
    how = (
        "signed integers around zero, a scale for each output channel, ranges from "
        f"{settings.calibration_photos} photos of the train split; validation split, against float32 photo by photo, "
        "onnxruntime on a processor"
    )
    return {
        "int8_tensorrt_cosine_least": Figure(
            made.min_cosine, "cosine", f"{how}; mean {made.mean_cosine:.5f}", COMMAND, n=made.differences[PRECISION].n
        ),
        "int8_tensorrt_cosine_mean": Figure(
            made.mean_cosine,
            "cosine",
            how,
            COMMAND,
            goal=f">= {settings.min_cosine}",
            met=made.mean_cosine >= settings.min_cosine,
            n=made.differences[PRECISION].n,
        ),
        **{key: _change(made, name, made.differences[name], how) for name, key in KEYS.items()},
    }


def _change(made: Variant, name: str, found: Estimate, how: str) -> Figure:
    return Figure(
        found.value,
        "share",
        f"change of {name} ({made.full[name]:.4f} in float32), paired; {how}",
        COMMAND,
        goal="interval above -0.02",
        met=found.interval is not None and found.interval[0] >= -0.02,
        interval=found.interval,
        n=found.n,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster.integers", description=__doc__)
    for name in ("exported", "validated", "splits"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"the stage's folder ({name})")
    parser.add_argument("--quick", action="store_true", help="a few queries; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
