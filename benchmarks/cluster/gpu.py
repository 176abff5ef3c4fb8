"""How fast a GPU computes the model: onnxruntime and TensorRT beside plain PyTorch in FP16, in one run (`gpu_*`).

Photos per second and the time of a call at batches of 1, 8 and 32, from pixels in the machine's memory to vectors
there; and what each way loses against float32 on a processor. Without a GPU nothing is measured; `--device cpu` tries
the script itself and records nothing.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cluster.gpu_candidates import Candidate, Open, require_device, ways
from benchmarks.results import RESULTS, Figure, record
from benchmarks.study import Skipped
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import load_model
from lookalike.errors import LookalikeError
from lookalike.evaluation.bootstrap import estimate_difference
from lookalike.evaluation.measure import Measured
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import read_truth
from lookalike.progress import progress
from lookalike.release.variants import RECALL, Judge, VariantSettings, calibration_pixels

COMMAND = "make bench-gpu EXPORTED=<folder> VALIDATED=<folder> SPLITS=<folder>"
BATCHES = (1, 8, 32)
TURNS, CALLS, WARM = 10, 50, 20
QUICK = EvaluationSettings(split="validation", damaged_queries=50, distractors=0, repeats=100)


def main() -> int:
    """0 where it was measured, 2 where there is no GPU or something else that a person can put right."""
    chosen = _parser().parse_args()
    try:
        figures = measure(chosen.exported, chosen.validated, chosen.splits, chosen.device, chosen.quick)
    except (LookalikeError, Skipped) as error:
        sys.stderr.write(f"gpu: {error}\n")
        return 2
    with tempfile.TemporaryDirectory() as aside:
        record("cluster", figures, Path(aside) if chosen.quick or chosen.device == "cpu" else RESULTS)
    return 0


def measure(exported: Path, validated: Path, splits: Path, device: str, quick: bool) -> dict[str, Figure]:
    """Figures by key. Raises Skipped without the device."""
    on = f"{require_device(device)}, {'a trial' if quick else f'{TURNS} turns of {CALLS} calls each, by turns'}"
    settings = VariantSettings(evaluation=QUICK) if quick else VariantSettings()
    catalogue, identity = load_catalogue(validated), load_model(exported).identity
    rows = read_truth(catalogue, splits).rows("train")
    photos = calibration_pixels(catalogue, rows, identity, settings.calibration_photos)
    judge = Judge(catalogue, splits, settings.evaluation)
    with ways(exported, "cpu", photos) as exact:
        expected = judge.ask(exact[0][1]())
    with ways(exported, device, photos) as found:
        candidates = opened(found)
        figures: dict[str, Figure] = {}
        for candidate in candidates:
            figures |= losses(candidate.name, expected, judge.ask(candidate), on)
        for batch in BATCHES:
            figures |= speeds(timed(candidates, photos, batch, quick), batch, on)
    return {f"{'gpu' if device != 'cpu' else 'cpu'}_{key}": figure for key, figure in figures.items()}


def opened(found: Sequence[tuple[str, Open]]) -> list[Candidate]:
    """Those that are at hand; what is not is said and not recorded."""
    candidates = []
    for name, way in found:
        try:
            candidates.append(way())
        except Skipped as reason:
            sys.stdout.write(f"{name} is not measured: {reason}\n")
    return candidates


def timed(
    candidates: Sequence[Candidate], photos: NDArray[np.uint8], batch: int, quick: bool
) -> dict[str, list[float]]:
    """Milliseconds of each call by candidate; they take turns, so that a disturbance meets all of them."""
    turns, calls = (2, 5) if quick else (TURNS, CALLS)
    pixels = np.ascontiguousarray(np.resize(photos, (batch, *photos.shape[1:])))  # (B, H, W, 3)
    took: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for candidate in candidates:
        for _ in range(WARM):
            candidate.run(pixels)
    for _ in progress(range(turns), f"batch {batch}"):
        for candidate in candidates:
            for _ in range(calls):
                began = time.perf_counter()
                candidate.run(pixels)
                took[candidate.name].append(1e3 * (time.perf_counter() - began))
    return took


def speeds(took: dict[str, list[float]], batch: int, on: str) -> dict[str, Figure]:
    """Photos per second, the time of a call, and the ratio to PyTorch."""
    rates = {name: 1e3 * batch / float(np.mean(times)) for name, times in took.items()}
    figures: dict[str, Figure] = {}
    for name, times in took.items():
        how = f"{name}, batches of {batch}; {on}"
        p50, p99 = (float(np.percentile(times, share)) for share in (50, 99))
        figures |= {
            f"{name}_images_per_s_{batch}": Figure(rates[name], "photos/s", how, COMMAND, n=len(times)),
            f"{name}_p50_ms_{batch}": Figure(p50, "ms", how, COMMAND, n=len(times)),
            f"{name}_p99_ms_{batch}": Figure(p99, "ms", how, COMMAND, n=len(times)),
            f"{name}_ratio_{batch}": Figure(
                rates[name] / rates["pytorch"],
                "ratio",
                f"photos per second over PyTorch's; {how}",
                COMMAND,
                n=len(times),
            ),
        }
    return figures


def losses(name: str, expected: dict[str, Measured], found: dict[str, Measured], on: str) -> dict[str, Figure]:
    """The vectors' least cosine with float32's, and the change of known-item recall@10, query by query."""
    how = f"{name} against PyTorch in float32 on a processor, validation split; {on}"
    before, after = (asked[CATALOGUE].embeddings.vectors for asked in (expected, found))  # (N, D) each
    cosines = (before * after).sum(axis=1)  # (N,)
    change = estimate_difference(
        found[DAMAGED].values[RECALL], expected[DAMAGED].values[RECALL], found[DAMAGED].resamples
    )
    return {
        f"{name}_cosine_least": Figure(float(cosines.min()), "cosine", how, COMMAND, n=len(cosines)),
        f"{name}_recall_change": Figure(change.value, "share", how, COMMAND, interval=change.interval, n=change.n),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster.gpu", description=__doc__)
    for name in ("exported", "validated", "splits"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"the stage's folder ({name})")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu tries the script itself [cuda]")
    parser.add_argument("--quick", action="store_true", help="a few calls and queries; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
