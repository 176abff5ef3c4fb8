"""A built index put into service, without the gate and the model files that promotion wants."""

from pathlib import Path

from lookalike.release.manifest import STORED, Release, save_release, switch_live


def go_live(releases: Path, release: Release, built: Path) -> None:
    """Save a release with what its index stage stored, and let readers see it."""
    folder = save_release(releases, release)
    (folder / STORED).write_bytes((built / STORED).read_bytes())
    switch_live(releases, release)
