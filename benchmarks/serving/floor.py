"""The floor: the same photos through the decoder, bare onnxruntime and the bare graph, one after the other."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import faiss as installed_faiss
import numpy as np
import onnxruntime

from benchmarks.serving.shop import Shop
from lookalike.catalog.images import Preprocessing
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import open_session
from lookalike.embedders.tensors import PIXELS, output_names
from lookalike.index.faiss_folder import FaissFolder
from lookalike.index.faiss_settings import HnswSettings
from lookalike.index.faiss_structures import SEARCH
from lookalike.index.segment import VECTORS

faiss: Any = installed_faiss  # its stubs lack search parameters
LEGS = ("decode", "embed", "search")


@dataclass(frozen=True)
class Floor:
    """What a service cannot do without, of one release."""

    preprocessing: Preprocessing
    session: onnxruntime.InferenceSession
    outputs: list[str]
    graph: Any
    parameters: Any
    k: int

    def ask(self, photo: bytes) -> tuple[float, float, float]:
        """Seconds of the legs of one search, in the order of LEGS."""
        started = time.perf_counter()
        pixels = self.preprocessing.pixels(photo)[np.newaxis]  # (1, H, W, 3)
        decoded = time.perf_counter()
        vectors = self.session.run(self.outputs, {PIXELS: pixels})[0]  # (1, D)
        embedded = time.perf_counter()
        self.graph.search(vectors, self.k, params=self.parameters)
        return decoded - started, embedded - decoded, time.perf_counter() - embedded


def open_floor(shop: Shop, k: int) -> Floor:
    """The live release's model and graph, a thread each."""
    folder = shop.workspace.model_repository / shop.live.model
    model = load_model(folder)
    graph, parameters = _graph(Path(shop.uri.removeprefix("faiss://")), shop.live.collection)
    faiss.omp_set_num_threads(1)
    session = open_session(onnx_file(folder, model), threads=1)
    return Floor(model.preprocessing, session, output_names(model.identity), graph, parameters, k)


def images_per_second(floor: Floor, photos: Sequence[bytes], threads: int, batch: int, seconds: float) -> float:
    """Bare onnxruntime on that many threads, in batches of photos that are decoded already."""
    pixels = np.concatenate([floor.preprocessing.pixels(photo)[np.newaxis] for photo in photos[:batch]])  # (B, H, W, 3)
    return per_second(lambda: floor.session.run(floor.outputs, {PIXELS: pixels}), threads, seconds) * len(pixels)


def searches_per_second(floor: Floor, photos: Sequence[bytes], threads: int, seconds: float) -> float:
    """All three legs, one photo after the other on that many threads: the most a service in Python could reach."""
    turns = cycle(photos)
    return per_second(lambda: floor.ask(next(turns)), threads, seconds)


def per_second(work: Callable[[], object], threads: int, seconds: float) -> float:
    """How often that many threads do it together."""
    end = time.monotonic() + seconds

    def repeat() -> int:
        done = 0
        while time.monotonic() < end:
            work()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: repeat(), range(threads))) / seconds


def _graph(root: Path, collection: str) -> tuple[Any, Any]:
    """The structure the service searches, read by faiss alone; small collections have none and are compared."""
    manifest = FaissFolder(root).manifest(collection)
    assert manifest.segment is not None, "the collection is sealed"
    segment = root / collection / manifest.segment
    if (segment / SEARCH).is_file():
        structure = manifest.settings.structure
        assert isinstance(structure, HnswSettings), "shops are built with the default structure"
        return faiss.read_index(str(segment / SEARCH)), faiss.SearchParametersHNSW(efSearch=structure.ef)
    vectors = np.load(segment / VECTORS, allow_pickle=False)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    return flat, None
