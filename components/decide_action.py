"""Decide: retrain, reindex or watch on, with reasons."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def decide_action(
    drift: Input[Artifact],
    validated: Input[Dataset],
    decision: Output[Artifact],
    workspace: str,
    now: str,
    settings: dict = {},
):
    """Decide between "retrain", "reindex" and "watch", with reasons in words.

    Args:
        drift: the drift stage's output.
        validated: today's validated catalogue.
        workspace: root of the shop's workspace, with the history of earlier watches.
        now: time of the watch, UTC ISO 8601; empty for the present.
        settings: overrides by stage name, here those of "decide".
    """
    from monitoring import stages

    stages.decide(drift.path, validated.path, decision.path, workspace=workspace, now=now, settings=settings)
