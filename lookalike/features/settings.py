"""Which online store a shop's features are served from; written once, into the feature store's own file."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError
from lookalike.features.redis_connection import FILE, VARIABLE


class FeatureSettings(StrictConfig):
    """How features are made readable online; servers read the outcome from feature_store.yaml."""

    online_store: Literal["sqlite", "redis"] | None = None
    """Where servers read features; without a choice what feature_store.yaml says, SQLite in a new feature store."""
    connection: str = Field(default="", repr=False)
    """Redis' address: `file:PATH` or `env:NAME` that holds it, or the URL itself where it has no password. A URL is
    redis://[user:password@]host:port/db, with rediss:// for TLS (?ssl_ca_certs=PATH), or unix:///path."""
    key_ttl_seconds: int | None = Field(default=None, ge=60)
    """After how long Redis drops a product that was not written again; without one it keeps it. Must be longer than
    the time between two materialisations."""
    batch: int = Field(default=5000, ge=1)
    """Products written at once; an interrupted filling goes on after the last batch."""
    read_back: int = Field(default=1000, ge=1)
    """Products read back and compared with the catalogue before a release may answer."""

    @field_validator("connection")
    @classmethod
    def _no_password(cls, connection: str) -> str:
        shown = not connection.startswith((FILE, VARIABLE))
        if shown and ("password=" in connection or urlsplit(connection).password):
            # Not a ValueError, which would be told with the value.
            raise ConfigError(f"a connection with a password is given by {FILE}PATH or {VARIABLE}NAME alone")
        return connection

    @model_validator(mode="after")
    def _redis_alone_has_an_address(self) -> Self:
        if self.online_store == "redis" and not self.connection:
            raise ValueError(f"online_store 'redis' needs a connection: {FILE}PATH, {VARIABLE}NAME or a URL")
        if self.online_store != "redis" and (self.connection or self.key_ttl_seconds):
            raise ValueError("connection and key_ttl_seconds belong to online_store 'redis'")
        return self
