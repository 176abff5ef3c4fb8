"""How old a model is."""

from datetime import UTC, datetime
from pathlib import Path

from lookalike.release.manifest import Release, known_releases


def model_born(releases: Path, serving: Release) -> datetime:
    """A reindex makes a new release of an old model; the model is as old as its first release."""
    same = [one for one in known_releases(releases) if one.model_fingerprint == serving.model_fingerprint]
    born = [datetime.fromisoformat(one.created) for one in same]
    return min(time if time.tzinfo else time.replace(tzinfo=UTC) for time in born)
