"""What decoding a JPEG at the scale that is needed saves, and what it costs in answers.

Ours and Pillow's whole decoding take turns on the same photos in one process, by processor time. The answers are
those of other photos of catalogue products, enlarged to what a phone would upload, searched in the whole catalogue.
"""

import io
import time
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.results import Figure
from benchmarks.serving.models import released_models
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.shop import index_folder, make_shop
from benchmarks.serving.uploads import Uploads, load_uploads, prepare_catalogue
from benchmarks.study import Measured
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.bootstrap import Estimate, draw_resamples, estimate_difference
from lookalike.index.gallery import Gallery, load_gallery
from lookalike.progress import progress

SQUARE, UPRIGHT = (1000, 1000), (750, 1000)
"""Width and height in pixels: where speed is measured, and in the shape of the catalogue's photos for the answers."""
GRAIN = 4.0
"""Standard deviation of the sensor's noise, which enlarging alone would lack."""
QUALITY, FINE_QUALITY, FINE_GRAIN = 85, 92, 8.0
INPUTS = ((96, 72), (160, 160), (224, 224))
"""Rows and columns of models' inputs; the first is the recipe's."""
K, FEW, BATCH = 10, 4, 128


def measure(plan: Plan) -> Measured:
    """The figures `decode_ratio`, and what decoding as we do it changes in the answers."""
    prepare_catalogue(plan)
    exported = released_models(plan)
    embedder = OnnxEmbedder(exported[0], threads=1)
    workspace = make_shop(plan, "released", exported).workspace
    gallery = load_gallery(index_folder(workspace, embedder.identity.fingerprint))
    uploads = load_uploads(plan, plan.study.enlarged)
    return Measured(
        speeds(uploads.photos[:20], plan.study.decodings)
        | answers(uploads, load_catalogue(plan.places.validated), gallery, embedder)
    )


# ---- speed


def speeds(photos: Sequence[bytes], repeats: int) -> dict[str, Figure]:
    """Whole decoding over ours, for every input size; the claim is the smallest of them."""
    plain = [enlarged(content, SQUARE, QUALITY, GRAIN, seed) for seed, content in enumerate(photos)]
    fine = [enlarged(content, SQUARE, FINE_QUALITY, FINE_GRAIN, seed) for seed, content in enumerate(photos)]
    ratios = {size: ratio(plain, Preprocessing(height=size[0], width=size[1]), repeats) for size in INPUTS}
    grainy = {size: ratio(fine, Preprocessing(height=size[0], width=size[1]), repeats) for size in INPUTS}
    worst = min(ratios, key=lambda size: ratios[size][0])
    value, interval = ratios[worst]
    told = ", ".join(f"{height}x{width}: {ratios[height, width][0]:.2f}" for height, width in INPUTS)
    hard = ", ".join(f"{height}x{width}: {grainy[height, width][0]:.2f}" for height, width in INPUTS)
    sizes = [round(float(np.mean([len(content) for content in some])) / 1000) for some in (plain, fine)]
    how = (
        f"processor time of Pillow's whole decoding and the same resizing, over ours with all its checks, in turns, on "
        f"{len(plain)} photos of 1000x1000 pixels made of catalogue photos with sensor noise (quality {QUALITY}, "
        f"{sizes[0]} kB); smallest of the input sizes {told}. With twice the noise at quality {FINE_QUALITY} "
        f"({sizes[1]} kB), where unpacking the bits takes most of the time and cannot be scaled, {hard}"
    )
    return {"decode_ratio": Figure(value, "ratio", how, COMMAND, ">= 3", value >= 3, interval, len(plain) * repeats)}


def ratio(photos: Sequence[bytes], preprocessing: Preprocessing, repeats: int) -> tuple[float, tuple[float, float]]:
    """Whole over ours with its 95 % interval over photos; of each photo the fastest repeat counts."""
    spent = np.full((2, len(photos)), np.inf)
    for _ in range(repeats):
        for at, content in enumerate(photos):
            spent[0, at] = min(spent[0, at], _seconds(partial(whole, content, preprocessing)))
            spent[1, at] = min(spent[1, at], _seconds(partial(preprocessing.pixels, content)))
    drawn = np.random.default_rng(0).integers(0, len(photos), (2000, len(photos)))  # (R, P)
    replicates = spent[0][drawn].sum(axis=1) / spent[1][drawn].sum(axis=1)
    low, high = np.quantile(replicates, [0.025, 0.975])
    return float(spent[0].sum() / spent[1].sum()), (float(low), float(high))


def whole(content: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Every pixel decoded, then resized. (H, W, 3) uint8."""
    return preprocessing.fit(Image.open(io.BytesIO(content)).convert("RGB"))


def enlarged(content: bytes, size: tuple[int, int], quality: int, grain: float, seed: int) -> bytes:
    """The photo as a camera might have sent it: larger, with noise. `size` is (width, height)."""
    image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB").resize(size, Image.Resampling.BICUBIC))
    noise = np.roll(_noise(size), seed * 7919, axis=None) * grain  # drawing it anew would take most of the time
    file = io.BytesIO()
    Image.fromarray((image + noise).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def _noise(size: tuple[int, int]) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((size[1], size[0], 3), dtype=np.float32)


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


# ---- answers


def answers(uploads: Uploads, catalogue: Catalogue, gallery: Gallery, embedder: Embedder) -> dict[str, Figure]:
    """What changes, in points, in the answers to photos decoded as we do it, against whole decoding."""
    products = uploads.products
    ours, full = _embedded(uploads.photos, embedder)
    resamples = draw_resamples(np.arange(len(products)), 2000, 0.95, seed=0)
    alike = Alike(catalogue, gallery)
    judged = [alike.judged(vectors, products) for vectors in (ours, full)]  # (Q, 2) each
    asked = (
        f"{len(products)} other photos of catalogue products, enlarged to 750x1000 pixels with sensor noise, among "
        f"{len(gallery.photos)} photos: ours minus whole decoding, in points, paired; vectors agree to a cosine of "
        f"{float((ours * full).sum(axis=1).mean()):.4f} on average"
    )
    told = (
        ("decode_recall_change", f"share that finds its own product among the first {K}"),
        ("decode_precision_change", f"share of the {FEW} nearest other products that agree in all fine attributes"),
    )
    figures = {}
    for column, (key, what) in enumerate(told):
        mine, theirs = judged[0][:, column], judged[1][:, column]
        value, low, high = _points(estimate_difference(mine, theirs, resamples))
        how = f"{what}, of {asked}; whole decoding has {float(theirs.mean()):.3f}"
        held = max(abs(low), abs(high)) <= 0.5
        figures[key] = Figure(value, "points", how, COMMAND, "within 0.5", held, (low, high), len(products))
    return figures


class Alike:
    """Judges answers by the catalogue's attributes."""

    def __init__(self, catalogue: Catalogue, gallery: Gallery) -> None:
        self._vectors = gallery.vectors
        self._rows = {product: row for row, product in enumerate(catalogue.products["product_id"])}
        self._owners = np.array([self._rows[product] for product in gallery.photos["product_id"]])  # (N,)
        fine = [catalogue.attributes.index(name) for name in catalogue.mapping.alike.fine]
        self._codes = catalogue.attribute_codes()[:, fine]  # (P, A)

    def judged(self, queries: NDArray[np.float32], products: Sequence[str]) -> NDArray[np.float64]:
        """(Q, 2): whether the own product is among the first K; the share of the next FEW that agree with it."""
        judged = np.zeros((len(queries), 2))
        for at, (query, product) in enumerate(zip(queries, products, strict=True)):
            scores, own = self._vectors @ query, self._rows[product]
            nearest = np.argpartition(-scores, 3 * K)[: 3 * K]
            ranked = list(dict.fromkeys(self._owners[nearest[np.argsort(-scores[nearest])]].tolist()))
            others = [row for row in ranked if row != own][:FEW]
            judged[at] = own in ranked[:K], (self._codes[others] == self._codes[own]).all(axis=1).mean()
        return judged


def _embedded(photos: Sequence[bytes], embedder: Embedder) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(Q, D) twice: as we decode, and decoded whole."""
    preprocessing, ours, full = embedder.identity.preprocessing, [], []
    for start in progress(range(0, len(photos), BATCH), "embed uploads"):
        some = [
            enlarged(content, UPRIGHT, QUALITY, GRAIN, start + at)
            for at, content in enumerate(photos[start : start + BATCH])
        ]
        ours.append(embedder.embed(preprocessing.batch(some)).vectors)
        full.append(embedder.embed(np.stack([whole(content, preprocessing) for content in some])).vectors)
    return np.concatenate(ours), np.concatenate(full)


def _points(change: Estimate) -> tuple[float, float, float]:
    low, high = change.interval or (float("nan"), float("nan"))
    return 100 * (change.value or 0.0), 100 * low, 100 * high
