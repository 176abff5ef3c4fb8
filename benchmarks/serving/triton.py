"""Measure the model in a real Triton: its first request, whether its vectors are stable, what rounded copies cost.

`python -m benchmarks.serving.triton --exported E --validated V --splits S` with the folders of a finished run.
"""

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import RESULTS, Figure, record
from benchmarks.serving.stability import SIZES, gaps
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder, open_session
from lookalike.embedders.tensors import PIXELS
from lookalike.release.export import parity_photos
from lookalike.release.publish import publish_model
from lookalike.release.variants import VariantSettings, make_variants
from serving.triton.environment import open_environment
from serving.triton.launcher import LocalTriton

COMMAND = "python -m benchmarks.serving.triton --exported E --validated V --splits S"
TOLERANCE = 1e-6
"""Largest difference of any number of a vector that is called stable; unit vectors, float32."""
REQUESTS = 40
"""Behind the median that the first request of a load is held against."""


@dataclass(frozen=True)
class Asked:
    """What is measured, and on how much."""

    exported: Path
    validated: Path
    splits: Path
    environment: Path
    photos: int
    loads: int
    repeats: int


def first_requests(asked: Asked, triton: LocalTriton, name: str, batch: int) -> list[float]:
    """First request after a fresh load ÷ median of the following ones, one ratio per load.

    The connection is older than the load and no golden photo goes before, so nothing has warmed what a shopper meets.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *_size(asked), 3), dtype=np.uint8)
    ratios = []
    with triton.load(name) as embedder:
        for _ in range(asked.loads):
            triton.unload(name)
            triton.api.load(name)
            times = []
            for _ in range(REQUESTS):
                began = time.perf_counter()
                embedder.embed(pixels)
                times.append(time.perf_counter() - began)
            ratios.append(times[0] / float(np.median(times[1:])))
    return ratios


def _size(asked: Asked) -> tuple[int, int]:
    size = load_model(asked.exported).preprocessing
    return size.height, size.width


def served_figures(asked: Asked, scratch: Path) -> dict[str, Figure]:
    """What is asked of the real Triton."""
    name = publish_model(asked.exported, scratch / "models").name
    folder, batch = scratch / "models" / name, load_model(asked.exported).max_batch_size
    catalogue = load_catalogue(asked.validated)
    ids = catalogue.gallery_photos["photo_id"].tolist()
    chosen = [ids[at] for at in np.linspace(0, len(ids) - 1, asked.photos).astype(int)]
    photos = list(catalogue.photo_contents(chosen).values())
    with LocalTriton(open_environment(asked.environment), scratch / "models", scratch / "triton.log") as triton:
        one, many = (first_requests(asked, triton, name, size) for size in (1, batch))
        found = gaps(triton, name, folder, photos, scratch)
    return {
        "first_request_ratio": _first(one, 1),
        "first_request_ratio_largest_batch": _first(many, batch),
        "vector_stability": _stable(found, len(photos)),
    }


def _first(ratios: list[float], batch: int) -> Figure:
    return Figure(
        float(np.median(ratios)),
        "ratio",
        f"first request of {batch} photo(s) after each of {len(ratios)} fresh loads ÷ median of the next "
        f"{REQUESTS - 1}, local Triton on the CPU, no golden photo sent before; the median load, worst "
        f"{max(ratios):.2f}, {sum(ratio <= 2 for ratio in ratios)} of {len(ratios)} at most 2",
        COMMAND,
        goal="<= 2",
        met=float(np.median(ratios)) <= 2,
        interval=(min(ratios), max(ratios)),
        n=len(ratios),
    )


def _stable(found: dict[str, float], photos: int) -> Figure:
    equal = [way for way, gap in found.items() if gap == 0]
    apart = "; ".join(f"{way} {gap:.1e}" for way, gap in found.items() if gap > 0) or "none"
    worst = max(found.values())
    return Figure(
        worst,
        "largest difference of any number",
        f"{photos} catalogue photos by {len(found)} ways (onnxruntime and Triton at batch sizes {SIZES}, two threads, "
        f"eight at once, six protocols of the service, model loaded again, Triton started again), against onnxruntime "
        f"one photo at a time; {len(equal)} ways bit-equal, apart: {apart}",
        COMMAND,
        goal=f"bit-equal, or <= {TOLERANCE:g}",
        met=worst <= TOLERANCE,
        n=photos * len(found),
    )


def rounded_figures(asked: Asked, scratch: Path) -> dict[str, Figure]:
    """Both rounded copies as the export makes and judges them, and their time beside float32."""
    model = load_model(asked.exported)
    full, settings = onnx_file(asked.exported, model), VariantSettings(measured=("float16", "int8"))
    figures: dict[str, Figure] = {}
    for copy in make_variants(full, model.identity, asked.validated, asked.splits, settings, scratch):
        figures |= _lost(copy.precision, copy.report(settings)) | _cost(copy.precision, copy.path, full, asked)
    return figures


def _lost(precision: str, lost: dict[str, Any]) -> dict[str, Figure]:
    refused = "; ".join(lost["refused_because"]) or "accepted by the export's default bounds"
    figures = {
        f"{precision}_min_cosine": Figure(
            lost["min_cosine"],
            "cosine",
            f"least cosine to float32 over the validation split's photos; mean {lost['mean_cosine']:.5f}, top-10 "
            f"overlap {lost['top_10_overlap']:.4f}; {refused}",
            COMMAND,
        )
    }
    for name, change in lost["differences"].items():
        figures[f"{precision}_{name}_change"] = Figure(
            change["value"],
            "points of 1",
            f"{precision} minus float32 ({lost['float32'][name]:.4f}) on the same validation queries",
            COMMAND,
            interval=None if change["interval"] is None else tuple(change["interval"]),
            n=change["n"],
        )
    return figures


def _cost(precision: str, copy: Path, full: Path, asked: Asked) -> dict[str, Figure]:
    files = {"float32": full, precision: copy}
    sessions = {name: open_session(path, threads=1) for name, path in files.items()}
    photos = parity_photos(load_catalogue(asked.validated), load_model(asked.exported).preprocessing, 8)
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(asked.repeats):  # interleaved, in processor time
        for name, session in sessions.items():
            began = time.process_time()
            session.run(None, {PIXELS: photos})
            times[name].append(time.process_time() - began)
    ratios = np.array(times["float32"]) / np.array(times[precision])
    low, high = np.quantile(ratios, [0.025, 0.975])
    size = copy.stat().st_size / full.stat().st_size
    return {
        f"{precision}_speed_ratio": Figure(
            float(np.median(ratios)),
            "ratio",
            "float32's processor time ÷ the copy's, 8 photos a call, one thread, interleaved; the interval holds 95 % "
            "of the calls",
            COMMAND,
            interval=(float(low), float(high)),
            n=len(ratios),
        ),
        f"{precision}_size_ratio": Figure(size, "ratio", "bytes of the ONNX file ÷ those of float32", COMMAND),
    }


def main() -> int:
    """0 when everything was measured."""
    asked, quick = _arguments()
    sys.argv = sys.argv[:1]  # KServe parses the command line when it is imported
    scratch = Path(tempfile.mkdtemp(prefix="lookalike-triton-"))
    try:
        OnnxEmbedder(asked.exported)
        folder = Path(tempfile.gettempdir()) / "bench-serving-quick" if quick else RESULTS
        record("serving", served_figures(asked, scratch), folder)
        record("serving", rounded_figures(asked, scratch), folder)
    finally:
        shutil.rmtree(scratch)
    return 0


def _arguments() -> tuple[Asked, bool]:
    parser = argparse.ArgumentParser("python -m benchmarks.serving.triton", description=__doc__)
    for name, words in (("exported", "an export"), ("validated", "its catalogue"), ("splits", "its splits")):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"folder of {words}")
    parser.add_argument("--environment", type=Path, default=Path(".triton"), help="environment of local Triton")
    parser.add_argument("--quick", action="store_true", help="few photos and loads; not recorded")
    given = parser.parse_args()
    folders = (given.exported, given.validated, given.splits, given.environment)
    return Asked(*folders, *((8, 3, 20) if given.quick else (64, 12, 200))), given.quick


if __name__ == "__main__":
    sys.exit(main())
