"""Measure the model in a real Triton: its first request, whether its vectors are stable, what rounded copies cost."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Figure
from benchmarks.serving.models import released_models
from benchmarks.serving.parts import TRITON
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.stability import SIZES, gaps
from benchmarks.serving.uploads import prepare_splits
from benchmarks.study import Measured, Skipped
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import open_session
from lookalike.embedders.tensors import PIXELS
from lookalike.errors import BackendUnavailable
from lookalike.release.export import parity_photos
from lookalike.release.publish import publish_model
from lookalike.release.variants import VariantSettings, make_variants
from serving.triton.environment import TritonEnvironment, open_environment
from serving.triton.launcher import LocalTriton

STEP = "triton"
TOLERANCE = 1e-6
"""Largest difference of any number of a vector that is called stable; unit vectors, float32."""
REQUESTS = 40
"""Behind the median that the first request of a load is held against."""


def measure(plan: Plan) -> Measured:
    """The figures `first_request_*` and `vector_stability`, and those of the rounded copies."""
    try:
        environment = open_environment(TRITON)
    except BackendUnavailable as error:
        raise Skipped(str(error)) from error
    prepare_splits(plan)
    exported, scratch = released_models(plan)[0], plan.places.scratch(STEP)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return Measured(served_figures(plan, exported, environment, scratch) | rounded_figures(plan, exported, scratch))


def first_requests(exported: Path, loads: int, triton: LocalTriton, name: str, batch: int) -> list[float]:
    """First request after a fresh load ÷ median of the following ones, one ratio per load.

    The connection is older than the load and no golden photo goes before, so nothing has warmed what a shopper meets.
    """
    size = load_model(exported).preprocessing
    pixels = np.random.default_rng(0).integers(0, 256, (batch, size.height, size.width, 3), dtype=np.uint8)
    ratios = []
    with triton.load(name) as embedder:
        for _ in range(loads):
            triton.unload(name)
            triton.api.load(name)
            times = []
            for _ in range(REQUESTS):
                began = time.perf_counter()
                embedder.embed(pixels)
                times.append(time.perf_counter() - began)
            ratios.append(times[0] / float(np.median(times[1:])))
    return ratios


def served_figures(plan: Plan, exported: Path, environment: TritonEnvironment, scratch: Path) -> dict[str, Figure]:
    """What is asked of the real Triton."""
    name = publish_model(exported, scratch / "models").name
    folder, batch = scratch / "models" / name, load_model(exported).max_batch_size
    catalogue = load_catalogue(plan.places.validated)
    ids = catalogue.gallery_photos["photo_id"].tolist()
    chosen = [ids[at] for at in np.linspace(0, len(ids) - 1, plan.study.stable).astype(int)]
    photos = list(catalogue.photo_contents(chosen).values())
    with LocalTriton(environment, scratch / "models", scratch / "triton.log") as triton:
        one, many = (first_requests(exported, plan.study.loads, triton, name, size) for size in (1, batch))
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


def rounded_figures(plan: Plan, exported: Path, scratch: Path) -> dict[str, Figure]:
    """Both rounded copies as the export makes and judges them, and their time beside float32."""
    model, places = load_model(exported), plan.places
    full, settings = onnx_file(exported, model), VariantSettings(measured=("float16", "int8"))
    photos = parity_photos(load_catalogue(places.validated), model.preprocessing, 8)
    figures: dict[str, Figure] = {}
    for copy in make_variants(full, model.identity, places.validated, places.splits, settings, scratch):
        times = _turns({"float32": full, copy.precision: copy.path}, photos, plan.study.rounded)
        size = copy.path.stat().st_size / full.stat().st_size
        figures |= _lost(copy.precision, copy.report(settings)) | _cost(copy.precision, times, size)
    return figures


def _turns(files: dict[str, Path], photos: NDArray[np.uint8], repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time that each model takes, by name; interleaved."""
    sessions = {name: open_session(path, threads=1) for name, path in files.items()}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(repeats):
        for name, session in sessions.items():
            began = time.process_time()
            session.run(None, {PIXELS: photos})
            times[name].append(time.process_time() - began)
    return times


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


def _cost(precision: str, times: dict[str, list[float]], size: float) -> dict[str, Figure]:
    ratios = np.array(times["float32"]) / np.array(times[precision])
    low, high = np.quantile(ratios, [0.025, 0.975])
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
