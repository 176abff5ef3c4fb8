"""Who may ask, how often, and what is open to everybody."""

import logging
import time
from contextvars import ContextVar
from ipaddress import ip_address

from prometheus_client import Counter
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.deadline import Clock
from lookalike.errors import AccessDenied, LookalikeError
from serving.access.keys import Keys, load_keys
from serving.access.quota import TokenBucket

logger = logging.getLogger(__name__)

NOBODY = "(no key)"

caller: ContextVar[str | None] = ContextVar("name of the API key's holder", default=None)
"""Whose request this is, for its line in the log; every request is a task with a context of its own. None where no key
was asked for."""


class AccessSettings(StrictConfig):
    """Who may use this server."""

    keys: str | None = None
    """`file:PATH` or `env:NAME` with the API keys, as `lookalike keys new` writes them; without, none are asked for."""
    per_minute: float = Field(default=600, gt=0)
    """Requests a minute for each key that has no number of its own; a request of several photos counts once."""
    burst: int = Field(default=60, ge=1)
    """Requests at once for each key that has no number of its own."""
    open_metrics: bool = False
    """Whether /metrics is read without a key; it tells releases and traffic."""
    open_to_all: bool = False
    """Says that listening beyond this machine without keys is meant, where something before this server asks."""


class AccessControl:
    """Admits requests of every protocol by the same keys and quotas; used on the event loop only.

    Raises ConfigError for keys that cannot be read.
    """

    def __init__(self, settings: AccessSettings, clock: Clock = time.monotonic) -> None:
        self.settings = settings
        self._keys: Keys | None = load_keys(settings.keys) if settings.keys is not None else None
        self._quotas = {
            name: TokenBucket(key.per_minute or settings.per_minute, key.burst or settings.burst, clock)
            for name, key in (self._keys.by_name.items() if self._keys else ())
        }
        self.counted = Counter(
            "lookalike_admissions", "Requests by the holder of their API key", ["caller", "outcome"], registry=None
        )

    @property
    def asks(self) -> bool:
        """Whether keys are asked for."""
        return self._keys is not None

    def admit(self, key: str | None, free: bool = False) -> str | None:
        """Count one request and say whose it is; a free one takes nothing of its caller's quota.

        Raises AccessDenied and QuotaSpent.
        """
        if self._keys is None:
            return None
        name = NOBODY
        try:
            name = self._keys.holder(key)
            if not free:
                self._quotas[name].take()
        except LookalikeError as error:
            self.counted.labels(name, "denied" if isinstance(error, AccessDenied) else "quota").inc()
            raise
        self.counted.labels(name, "admitted").inc()
        return name

    def warn_if_wide(self, host: str) -> None:
        """Log a warning for a server that anybody on the network can use."""
        if not (self.asks or self.settings.open_to_all or is_loopback(host)):
            logger.warning(
                "LISTENING ON %s WITHOUT API KEYS: whoever reaches this machine can search, and use it up. Set "
                "access.keys, or access.open_to_all where a gateway asks for them.",
                host,
            )


def presented_key(api_key: str | None, authorization: str | None) -> str | None:
    """The key in `X-API-Key`, or after `Bearer` in `Authorization`."""
    if api_key:
        return api_key
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
