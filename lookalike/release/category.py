"""How a release tells verticals: the category fusion that its own evaluation calibrated."""

from pathlib import Path

from lookalike.config import load_config
from lookalike.embedders.model_folder import load_model
from lookalike.errors import ReleaseMismatch
from lookalike.fusion import FUSION, Fusion
from lookalike.release.manifest import EVALUATION, Release


def release_fusion(releases: Path, release: Release) -> Fusion | None:
    """The release's fusion, None where its evaluation had no validation split to calibrate one on.

    A rounded copy tells verticals as the model it came from. Raises ReleaseMismatch for the fusion of another model.
    """
    folder = releases / release.release_id
    path = folder / EVALUATION / FUSION
    if not path.is_file():
        return None
    fusion = load_config(Fusion, path)
    if fusion.model_fingerprint not in (release.model_fingerprint, load_model(folder).rounded_from):
        raise ReleaseMismatch(
            f"{path} was calibrated on model {fusion.model_fingerprint[:12]}, the release serves "
            f"{release.model_fingerprint[:12]}; evaluate it again"
        )
    return fusion
