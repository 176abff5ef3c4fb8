"""API keys: made once, kept as digests, compared in constant time.

A key holds 256 random bits, so one SHA-256 without salt or stretching is as good as the key: nobody can search that
space, and a stolen file of digests opens nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field

from lookalike.config import StrictConfig, parse_config
from lookalike.errors import AccessDenied, ConfigError
from lookalike.references import FILE, read_reference
from lookalike.storage import atomic_file

PREFIX = "lk_"
LONGEST = 256
"""Characters of a key that are looked at."""


class ApiKey(StrictConfig):
    """One key, without the key itself."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    """Digest of the key, in hexadecimal digits."""
    per_minute: float | None = Field(default=None, gt=0)
    """Requests a minute; the server's own quota where not given."""
    burst: int | None = Field(default=None, ge=1)
    """Requests at once; the server's own where not given."""


class KeyFile(StrictConfig):
    """All keys of a server, by the name of whoever holds each."""

    keys: dict[str, ApiKey] = Field(min_length=1)
    """Names appear in logs and metrics; keys never do."""


class Keys:
    """Finds whose key it is."""

    def __init__(self, keys: Mapping[str, ApiKey]) -> None:
        self.by_name = dict(keys)
        self._digests = {name: bytes.fromhex(key.sha256) for name, key in keys.items()}

    def holder(self, key: str | None) -> str:
        """The name of the key's holder, in the same time whatever the key. Raises AccessDenied."""
        if not key:
            raise AccessDenied("this server asks for an API key; send it as X-API-Key or Authorization: Bearer")
        presented = digest(key[:LONGEST])
        found = [name for name, known in self._digests.items() if hmac.compare_digest(presented, known)]
        if not found:
            raise AccessDenied("the API key is not known here")
        return found[0]


def digest(key: str) -> bytes:
    """SHA-256 of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def load_keys(reference: str) -> Keys:
    """Read the keys that `file:PATH` or `env:NAME` refers to. Raises ConfigError, never repeating what it read."""
    text = read_reference(reference, "the API keys")
    try:
        return Keys(parse_config(KeyFile, yaml.safe_load(text), reference).keys)
    except yaml.YAMLError as error:
        raise ConfigError(f"{reference} is not valid YAML") from error


def new_key(file: Path, name: str) -> str:
    """Make a key for `name` and add its digest to the file; the key is returned and kept nowhere.

    Raises ConfigError for a name that has one already.
    """
    known = dict(load_keys(f"{FILE}{file}").by_name) if file.exists() else {}
    if name in known or not name.isprintable() or not name:
        raise ConfigError(f"{name!r} has a key in {file} already, or is no name; choose another")
    key = PREFIX + secrets.token_urlsafe(32)
    known[name] = ApiKey(sha256=digest(key).hex())
    listed = {one: kept.model_dump(exclude_none=True) for one, kept in known.items()}
    with atomic_file(file) as aside:
        aside.write_text(yaml.safe_dump({"keys": listed}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return key
