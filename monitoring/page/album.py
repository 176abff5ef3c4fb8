"""The photos the page shows, all read from the catalogue at once: those of products that it holds now, and no others."""

from collections.abc import Sequence
from typing import Self

from lookalike.catalog.products import Catalogue
from monitoring.page.examples import Examples, QueryShown
from monitoring.page.new_products import NewProducts
from monitoring.page.thumbnails import thumbnails


class Album:
    """Thumbnails by product, and by photo where a certain one is meant."""

    def __init__(self, known: frozenset[str], photos: dict[str, str], main: dict[str, str]) -> None:
        self._known, self._photos, self._main = known, photos, main

    @classmethod
    def read(cls, catalogue: Catalogue | None, examples: Examples | None, new: Sequence[NewProducts]) -> Self:
        """Read every photo that the examples and the new products need; empty without a catalogue."""
        if catalogue is None:
            return cls(frozenset(), {}, {})
        queries = [*examples.new, *examples.usual] if examples is not None else []
        products = {product for query in queries for product in _hits(query)} | {i for each in new for i in each.product_ids}
        firsts = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
        main = firsts[firsts.index.isin(products)].to_dict()
        meant = [neighbour.photo_id for query in queries for neighbour in query.neighbours]
        return cls(frozenset(catalogue.products["product_id"]), thumbnails(catalogue, [*main.values(), *meant]), main)

    def of_product(self, product_id: str) -> str | None:
        """Address of a product's first photo; None where it cannot be shown."""
        return self._photos.get(self._main.get(product_id, ""))

    def of_photo(self, photo_id: str) -> str | None:
        """Address of one photo; None where it cannot be shown."""
        return self._photos.get(photo_id)

    def shows(self, product_id: str) -> bool:
        """Whether a product may be named: the catalogue holds it, or nobody gave a catalogue."""
        return not self._known or product_id in self._known


def _hits(query: QueryShown) -> Sequence[str]:
    return query.told.hits if query.told is not None else ()
