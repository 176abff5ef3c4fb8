"""A built index put into service, without the gate and the model files that promotion wants."""

from pathlib import Path

from lookalike.release.manifest import STORED, TRAINED_VECTORS, Release, save_release, switch_live


def go_live(releases: Path, release: Release, built: Path) -> None:
    """Save a release with what its index stage stored, and let readers see it."""
    folder = save_release(releases, release)
    for name in (STORED, TRAINED_VECTORS):
        if (built / name).is_file():
            (folder / name).write_bytes((built / name).read_bytes())
    switch_live(releases, release)
