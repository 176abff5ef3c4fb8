"""The photos on the page, all read from the catalogue at once: those of products that it holds now, and no others."""

from collections.abc import Iterable
from typing import Self

from lookalike.catalog.products import Catalogue
from monitoring.page.thumbnails import thumbnails


class Album:
    """Thumbnails by photo, and by product for its first photo."""

    def __init__(self, known: frozenset[str] | None, main: dict[str, str], photos: dict[str, str]) -> None:
        self._known, self._main, self._photos = known, main, photos

    @classmethod
    def read(cls, catalogue: Catalogue | None, product_ids: Iterable[str], photo_ids: Iterable[str]) -> Self:
        """Read the first photos of the products, and the named photos; nothing without a catalogue."""
        if catalogue is None:
            return cls(None, {}, {})
        firsts = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
        main = {str(product): str(photo) for product, photo in firsts[firsts.index.isin(set(product_ids))].items()}
        known = frozenset(catalogue.products["product_id"])
        return cls(known, main, thumbnails(catalogue, [*main.values(), *photo_ids]))

    def of_product(self, product_id: str) -> str | None:
        """Address of a product's first photo; None where it cannot be shown."""
        return self._photos.get(self._main.get(product_id, ""))

    def of_photo(self, photo_id: str) -> str | None:
        """Address of one photo; None where it cannot be shown."""
        return self._photos.get(photo_id)

    def shows(self, product_id: str) -> bool:
        """Whether a product may be named: the catalogue holds it, or nobody gave a catalogue."""
        return self._known is None or product_id in self._known
