"""Photos that shoppers upload: other photos of catalogue products, never indexed, as they would be sent."""

from dataclasses import dataclass

import numpy as np

from benchmarks.serving.plan import Plan
from lookalike import stages
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.sample import SampleShop, draw_shop
from lookalike.errors import ArtifactError

QUICK_SHOP = SampleShop(products=60, photos_per_product=1, shopper_photos=0.5)


@dataclass(frozen=True)
class Uploads:
    """Encoded photos and the products they show."""

    photos: list[bytes]
    products: list[str]


def prepare_catalogue(plan: Plan) -> None:
    """Validate the catalogue, drawn first for a trial; kept once done."""
    catalogue = plan.catalogue
    if plan.quick:
        catalogue = str(plan.places.drawn_shop)
        draw_shop(plan.places.drawn_shop, QUICK_SHOP)
    stages.validate(catalogue, str(plan.places.validated))


def prepare_splits(plan: Plan) -> None:
    """The validated catalogue's splits, as every recipe makes them; kept once made."""
    prepare_catalogue(plan)
    stages.split(str(plan.places.validated), str(plan.places.splits))


def load_uploads(plan: Plan, count: int) -> Uploads:
    """`count` of the catalogue's query photos, drawn at random; all of them where there are fewer."""
    catalogue = load_catalogue(plan.places.validated)
    queries = catalogue.query_photos
    if not len(queries):
        raise ArtifactError(f"the catalogue {plan.catalogue} has no query photos, which this study uploads")
    rows = np.random.default_rng(plan.study.seed).permutation(len(queries))[:count]
    chosen = queries.iloc[np.sort(rows)]
    contents = catalogue.photo_contents(chosen["photo_id"].tolist())
    return Uploads([contents[photo] for photo in chosen["photo_id"]], chosen["product_id"].tolist())
