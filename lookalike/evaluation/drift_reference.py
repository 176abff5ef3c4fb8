"""The release's drift reference: what serving should log while the queries are like those evaluated."""

import pyarrow as pa

from lookalike.catalog.photo_quality import photo_header, sharpness
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
    header = photo_header(content)
    return Observation(
        vector=measured.embeddings.vectors[query].tolist(),
        top1_score=top1,
        margin=margin,
        attributes=attributes,
        confidence=confidence,
        photo_width=header.width,
        photo_height=header.height,
        photo_bytes=len(content),
        jpeg_quality=header.jpeg_quality,
        sharpness=sharpness(identity.preprocessing.pixels(content)),
    )
