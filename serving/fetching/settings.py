"""Whether photos are fetched from addresses that strangers send, and within which bounds."""

from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig


class FetchSettings(StrictConfig):
    """Off unless said otherwise: a server that fetches is a way into the network it stands in."""

    enabled: bool = False
    """Whether `photo_url` is accepted."""
    schemes: tuple[Literal["https", "http"], ...] = ("https",)
    """Accepted schemes; http shows what is fetched to everybody on the way."""
    ports: tuple[int, ...] = (443,)
    """Accepted ports; add 80 with http."""
    hosts: tuple[str, ...] = ()
    """Accepted host names, such as those of a shop's own photos; every public host where empty."""
    bytes: int = Field(default=10_000_000, ge=1)
    """Largest photo that is fetched."""
    seconds: float = Field(default=5.0, gt=0)
    """For everything: resolving, connecting, redirects and the last byte."""
    redirects: int = Field(default=3, ge=0)
    """How many are followed, each checked like the first address."""
    at_once: int = Field(default=2, ge=1)
    """Fetches under way at the same time; keep it below overload.threads, or slow hosts stop every search."""
