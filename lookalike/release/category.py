"""How a release tells verticals: the category fusion that its own evaluation calibrated."""

from pathlib import Path

from lookalike.config import load_config
from lookalike.errors import ReleaseMismatch
from lookalike.fusion import FUSION, Fusion
from lookalike.release.manifest import EVALUATION, Release


def release_fusion(releases: Path, release: Release) -> Fusion | None:
    """The release's fusion, None where its evaluation had no validation split to calibrate one on.

    Raises ReleaseMismatch for one that was calibrated on another model.
    """
    path = releases / release.release_id / EVALUATION / FUSION
    if not path.is_file():
        return None
    fusion = load_config(Fusion, path)
    if fusion.model_fingerprint != release.model_fingerprint:
        raise ReleaseMismatch(
            f"{path} was calibrated on model {fusion.model_fingerprint[:12]}, the release serves "
            f"{release.model_fingerprint[:12]}; evaluate it again"
        )
    return fusion
