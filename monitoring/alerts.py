"""What Alertmanager tells its webhooks (version 4), kept and named."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.storage import digest_json, write_json

KEPT_ALERTS = 1000
"""Deliveries kept, the newest."""
Labels = dict[str, str]


class Alert(StrictConfig):
    """One alert of a delivery."""

    status: Literal["firing", "resolved"]
    """Whether it still stands."""
    labels: Labels
    """What it is."""
    annotations: Labels
    """What it says to people."""
    startsAt: datetime
    """Since when."""
    endsAt: datetime
    """Until when; year 1 while it fires."""
    generatorURL: str
    """Where its expression is seen."""
    fingerprint: str
    """Digest of its labels."""


class Delivery(StrictConfig):
    """One request of Alertmanager, as its documentation describes webhook_config; field names are Alertmanager's."""

    version: Literal["4"]
    """Version of the format."""
    groupKey: str
    """What identifies the group of alerts."""
    truncatedAlerts: int = Field(default=0, ge=0)
    """Alerts left out."""
    status: Literal["firing", "resolved"]
    """Whether any of them still stands."""
    receiver: str
    """Name of the receiver in Alertmanager's configuration."""
    groupLabels: Labels
    """Labels by which they were grouped."""
    commonLabels: Labels
    """Labels they share."""
    commonAnnotations: Labels
    """Annotations they share."""
    externalURL: str
    """Where this Alertmanager is seen."""
    alerts: list[Alert] = Field(min_length=1)
    """The alerts."""

    @property
    def watch(self) -> str | None:
        """Name of the watch that answers it, the same for every repetition; None where nothing stands any more."""
        began = [alert.startsAt for alert in self.alerts if alert.status == "firing"]
        if not began:
            return None
        return f"watch-alert-{digest_json({'group': self.groupKey, 'began': min(began).isoformat()})[:12]}"


def keep_delivery(folder: Path, delivery: Delivery, now: datetime) -> Path:
    """Write a delivery down; one that is repeated word for word is kept once. One call at a time."""
    said = delivery.model_dump(mode="json")
    path = folder / f"{digest_json(said)[:16]}.json"
    write_json(path, {"received": now.isoformat(), **said})
    kept = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in kept[KEPT_ALERTS:]:
        old.unlink(missing_ok=True)
    return path
