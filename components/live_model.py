"""The model of a release, so that an index can be rebuilt without training."""

from kfp import dsl
from kfp.dsl import Artifact, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def live_model(exported: Output[Model], evaluation: Output[Artifact], workspace: str, release: str):
    """Copy a release's exported model and evaluation out of the workspace.

    Args:
        workspace: root of the shop's workspace.
        release: id of the release; empty where none is in service, which is refused.
    """
    from lookalike import stages

    stages.live_model(exported.path, evaluation.path, workspace=workspace, release=release)
