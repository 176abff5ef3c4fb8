"""The same shop with a million products: its own, and others grown from their vectors."""

from collections.abc import Iterator

import numpy as np

from benchmarks.index.grown import NEIGHBOURS, calibrated, grow, neighbours
from benchmarks.serving.plan import Plan
from benchmarks.serving.shop import Shop, index_folder
from lookalike.catalog.groups import product_groups
from lookalike.catalog.products import load_catalogue
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings, HnswSettings
from lookalike.index.gallery import Gallery, gallery_batches, gallery_fields, load_gallery
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.progress import progress

PIECE = 10_000


def make_million(plan: Plan, shop: Shop) -> Shop:
    """The live release over `study.grown` products: the collection is another, all else is the shop's; kept once made.

    Grown products have the fields of the product they are grown from, and no features in the store.
    """
    root, live, study = plan.places.shop("million") / "faiss", shop.live, plan.study
    settings = FaissSettings(structure=HnswSettings(ef_construction=study.ef_construction))
    catalogue = load_catalogue(plan.places.validated)
    with FaissIndex(root, settings) as index:
        if live.collection not in index.collections() or index.count(live.collection) != study.grown:
            gallery = load_gallery(index_folder(shop.workspace, live.model_fingerprint))
            dimension, fields = gallery.vectors.shape[1], gallery_fields(catalogue)
            index.create(CollectionInfo(live.collection, live.release_id, live.model_fingerprint, dimension, fields))
            groups = product_groups(catalogue, True)
            real = list(gallery_batches(catalogue, gallery, groups, len(gallery.photos)))
            for batch in (*real, *_grown(gallery, real[0], study.grown - len(gallery.photos), study.seed)):
                index.upsert(live.collection, batch)
            index.seal(live.collection)
    return Shop(shop.workspace, f"faiss://{root}", shop.releases)


def _grown(gallery: Gallery, real: GalleryBatch, count: int, seed: int) -> Iterator[GalleryBatch]:
    """`count` products that were never there, each near a real one."""
    random, vectors = np.random.default_rng(seed), gallery.vectors
    near = neighbours(vectors, vectors, NEIGHBOURS + 1)[1][:, 1:]  # (N, K), without itself
    scale = calibrated(vectors, near, random)
    columns = {name: np.array(values, dtype=object) for name, values in real.fields.items()}
    for start in progress(range(0, count, PIECE), "growing products"):
        parents = random.integers(len(vectors), size=min(PIECE, count - start))
        ids = [f"grown{start + row:07}" for row in range(len(parents))]
        yield GalleryBatch(
            ids,
            ids,
            grow(vectors, near, parents, scale, random),
            {name: values[parents].tolist() for name, values in columns.items()},
        )
