"""What drift detection keeps of a search by photo."""

from lookalike.catalog.photo_quality import photo_header
from lookalike.observation import Observation, score_margin
from lookalike.search.candidates import best_per_key
from lookalike.search.page import Page, Query
from lookalike.search.query import SearchRequest


def observe(photo: bytes, query: Query, page: Page, request: SearchRequest) -> Observation:
    """One row of the query log; filters, folds and colours change scores, so a search with these keeps none."""
    header = photo_header(photo)
    shaped = request.where or request.narrow or request.colour_weight or request.category != "off"
    comparable = not shaped and request.stock != "only" and request.group in ("photo", "product")
    products = best_per_key([*page.hits, *page.ahead], lambda hit: hit.product_id) if comparable else []
    top1, margin = score_margin([hit.score for hit in products])
    return Observation(
        vector=query.vectors[0].tolist(),
        top1_score=top1,
        margin=margin,
        attributes={name: seen.value for name, seen in query.predicted.items()},
        confidence={name: seen.confidence for name, seen in query.predicted.items()},
        photo_width=header.width,
        photo_height=header.height,
        photo_bytes=len(photo),
        jpeg_quality=header.jpeg_quality,
        sharpness=query.sharpness,
    )
