"""Where people see the photos of the shop's products."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from lookalike.config import StrictConfig


class PhotoSettings(StrictConfig):
    """Where an answer's `photo_url` points to; without a place, it is null."""

    catalogue: Path | None = None
    """Folder of a validated catalogue, or one that holds several, such as a workspace: its photos are served under
    /photos, scaled down."""
    url: str | None = None
    """Address where the shop serves its photos itself, such as https://cdn.example/{photo_id}.jpg; it may also name
    {product_id}."""
    side: int = Field(default=480, ge=32, le=2048)
    """Longest side of a served photo, in pixels."""
    max_age_seconds: int = Field(default=3600, ge=0)
    """How long browsers keep a served photo before they ask whether it changed."""
    kept_bytes: int = Field(default=64_000_000, ge=0)
    """Scaled photos kept in memory."""
    threads: int = Field(default=2, ge=1)
    """Photos scaled at the same time."""
    most_waiting: int = Field(default=256, ge=0)
    """Photos that may wait to be scaled; further requests are refused with 429."""

    @model_validator(mode="after")
    def _names_one_place(self) -> "PhotoSettings":
        if self.catalogue is not None and self.url is not None:
            raise ValueError("photos come from catalogue or from url, not from both")
        if self.url is not None:
            try:
                self.url.format(photo_id="", product_id="")
            except (KeyError, ValueError, IndexError) as error:
                raise ValueError(f"url is {self.url!r}; {{photo_id}} and {{product_id}} may be named in it") from error
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """The other place that browsers load photos from, as scheme://host."""
        parts = urlsplit(self.url or "")
        return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()

    def photo_url(self, photo_id: str, product_id: str) -> str | None:
        """Where a photo can be seen: an address, or a path on this server."""
        if self.url is not None:
            return self.url.format(photo_id=quote(photo_id), product_id=quote(product_id, safe=""))
        return f"/photos/{quote(photo_id)}" if self.catalogue is not None else None
