"""Many photos through an embedder, a batch at a time."""

from collections.abc import Sequence

import numpy as np

from lookalike.embedders.protocol import Embedder, Embeddings
from lookalike.progress import progress


def embed_photos(embedder: Embedder, contents: Sequence[bytes], batch: int, label: str) -> Embeddings:
    """Embed N >= 1 encoded photos. Raises ImageError for one that cannot be decoded."""
    preprocessing = embedder.identity.preprocessing
    parts = [
        embedder.embed(preprocessing.batch(contents[start : start + batch]))
        for start in progress(range(0, len(contents), batch), label)
    ]
    vectors = np.concatenate([part.vectors for part in parts])  # (N, D)
    attributes = {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes}
    return Embeddings(vectors, attributes)
