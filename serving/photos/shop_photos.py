"""Serves the photos of the live release's products, and no other file."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lookalike.catalog.images import ImageLimits
from lookalike.catalog.photo_lookup import PhotoLookup
from lookalike.errors import ImageError, NotFound, Overloaded
from serving.live import LiveEngine
from serving.photos.named import NamedPhotos
from serving.photos.settings import PhotoSettings
from serving.photos.thumbnails import KeptThumbnails, Thumbnail, thumbnail

ReadPhoto = Callable[[str], bytes | None]
"""The encoded photo of an id; None where there is none."""


class ShopPhotos:
    """Thumbnails by photo id, made in threads of their own so that no search waits for a page of pictures.

    An id is looked up in the live release's collection first, unless an answer has just named it: what is not searched
    is not shown, and no stranger's text reaches a file's name.
    """

    def __init__(self, settings: PhotoSettings, live: LiveEngine, limits: ImageLimits) -> None:
        self.settings = settings
        self._live = live
        self._limits = limits
        self._read: ReadPhoto = PhotoLookup(settings.catalogue).read if settings.catalogue else _none
        self._named = NamedPhotos()
        self._kept = KeptThumbnails(settings.kept_bytes)
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="photos")
        self._under_way = 0  # only touched on the event loop

    def photo_url(self, photo_id: str, product_id: str) -> str | None:
        """Where a photo that is being answered can be seen."""
        if self.settings.catalogue is not None:
            self._named.add(photo_id)
        return self.settings.photo_url(photo_id, product_id)

    async def thumbnail(self, photo_id: str) -> Thumbnail:
        """Raises NotFound for an id of no searched photo and for one that cannot be shown, Overloaded when too many
        wait."""
        most = self.settings.threads + self.settings.most_waiting
        if self._under_way >= most:
            raise Overloaded(f"{most} photos are being read, which is all this server takes; try again", 1.0)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._thumbnail, photo_id)
        finally:
            self._under_way -= 1

    def stop(self) -> None:
        """Finish what is under way."""
        self._threads.shutdown(wait=True)

    def _thumbnail(self, photo_id: str) -> Thumbnail:
        engine = self._live.current
        if engine is None or not (photo_id in self._named or engine.holds(photo_id)):
            raise NotFound(f"photo {photo_id[:200]!r} is not in the catalogue that is searched")
        key = f"{engine.release.release_id} {photo_id}"
        made = self._kept.get(key)
        if made is None:
            made = self._made(photo_id)
            self._kept.keep(key, made)
        return made

    def _made(self, photo_id: str) -> Thumbnail:
        photo = self._read(photo_id)
        if photo is None:
            raise NotFound(f"photo {photo_id[:200]!r} is not shown by this server")
        try:
            return thumbnail(photo, self.settings.side, self._limits)
        except ImageError as error:  # the shop's photo, so no mistake of whoever asks for it
            raise NotFound(f"photo {photo_id[:200]!r} cannot be shown: {error}") from error


def _none(photo_id: str) -> None:
    return None
