"""The release's drift reference: what serving should log while the queries are like those evaluated."""

import io

import pyarrow as pa
from PIL import Image

from lookalike.embedders.protocol import ModelIdentity
from lookalike.evaluation.measure import Measured
from lookalike.observation import Observation, observations_table, predicted_attributes, score_margin


def reference_table(measured: Measured, identity: ModelIdentity) -> pa.Table:
    """One row per query of REFERENCE_SCHEMA; scores are against the largest gallery, own product included."""
    return observations_table([_observe(measured, identity, q) for q in range(len(measured.known.products))])


def _observe(measured: Measured, identity: ModelIdentity, query: int) -> Observation:
    scores = measured.known.scores[query]
    top1, margin = score_margin([float(score) for score in scores[measured.known.products[query] >= 0]])
    probabilities = {name: values[query] for name, values in measured.embeddings.attributes.items()}
    attributes, confidence = predicted_attributes(probabilities, identity.attribute_labels)
    content = measured.queries.photos.contents[query]
    with Image.open(io.BytesIO(content)) as photo:
        width, height = photo.size
    vector = measured.embeddings.vectors[query].tolist()
    return Observation(vector, top1, margin, attributes, confidence, width, height, len(content))
