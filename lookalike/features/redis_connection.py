"""A connection to Redis that cannot hang, from an address that may be a secret."""

import os
from pathlib import Path
from typing import Any

from lookalike.errors import ConfigError

FILE, VARIABLE = "file:", "env:"


def redis_client(connection: str, seconds: float) -> Any:
    """A client for a `connection_string` of feature_store.yaml; no read or write of its socket outlasts `seconds`.

    Feast's own client waits for ever, so a server that vanishes would keep a thread of ours with every lookup, and
    redis-py retries for seconds with pauses. One immediate retry is left: connections that lay idle while Redis was
    restarted fail once. Raises ConfigError for an address that cannot be read, without repeating it.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as ConnectionLost
    from redis.retry import Retry

    retry = Retry(NoBackoff(), 1, (ConnectionLost,))
    bounds: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": retry}
    address = _address(connection)
    try:
        if "://" in address:
            return Redis.from_url(address, **bounds)
        return Redis(**bounds | _options(address))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"the address of Redis in {_place(connection)} cannot be read; "
            "redis://host:port/db, rediss://..., unix:///path and Feast's host:port,name=value are accepted"
        ) from error


def _address(reference: str) -> str:
    if reference.startswith(VARIABLE):
        value = os.environ.get(reference.removeprefix(VARIABLE), "")
    elif reference.startswith(FILE):
        try:
            value = Path(reference.removeprefix(FILE)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the address of Redis from {reference}") from error
    else:
        return reference
    if not value.strip():
        raise ConfigError(f"{reference} holds no address of Redis")
    return value.strip()


def _place(reference: str) -> str:
    return reference if reference.startswith((FILE, VARIABLE)) else "feature_store.yaml"


def _options(address: str) -> dict[str, Any]:
    """Feast's own format; its values are JSON where they can be, which turns the password 1e5 into 100000.0."""
    from feast.infra.online_stores.redis import RedisOnlineStore

    [node], options = RedisOnlineStore._parse_connection_string(address)
    written = dict(part.split("=", 1) for part in address.split(",") if "=" in part)
    return {**node, **options, **{name: written[name] for name in ("username", "password") if name in written}}
