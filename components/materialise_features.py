"""Features: the release's attributes in the online store."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def materialise_features(
    validated: Input[Dataset],
    index: Input[Artifact],
    features: Output[Artifact],
    metrics: Output[Metrics],
    workspace: str,
    settings: dict = {},
):
    """Apply the Feast repository for this release and materialise it.

    Args:
        validated: the validated catalogue.
        index: the index's record, which names the release.
        workspace: root of the shop's workspace, where the feature store lives.
        settings: overrides by stage name, here those of "features".
    """
    from importlib.resources import files

    from components.outcome import log_record
    from lookalike import stages

    places = {"workspace": workspace, "definitions": str(files("feature_repo"))}
    log_record(stages.features(validated.path, index.path, features.path, **places, settings=settings), metrics)
