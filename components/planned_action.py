"""The branch between watching on, reindexing and retraining."""

from kfp import dsl
from kfp.dsl import Artifact, Input

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def planned_action(decision: Input[Artifact]) -> str:
    """Return "retrain", "reindex" or "watch".

    A task of its own because a condition on one output of several is silently false in the local runner.

    Args:
        decision: the decision's output.
    """
    from monitoring import stages

    return stages.action(decision.path)
