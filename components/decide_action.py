"""Decide: retrain, reindex or watch on, with reasons."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Markdown, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def decide_action(
    drift: Input[Artifact],
    validated: Input[Dataset],
    decision: Output[Artifact],
    reasons: Output[Markdown],
    workspace: str,
    now: str,
    settings: dict = {},
    api: str = "",
):
    """Decide between "retrain", "reindex" and "watch", with reasons in words.

    Args:
        drift: the drift stage's output.
        validated: today's validated catalogue.
        workspace: root of the shop's workspace, with the history of earlier watches.
        now: time of the watch, UTC ISO 8601; empty for the present.
        settings: overrides by stage name, here those of "decide".
        api: KFP API server that knows how earlier runs ended; empty for this machine.
    """
    from importlib.resources import files

    from components.outcome import show_decision
    from monitoring import stages

    folders = (drift.path, validated.path, decision.path)
    places = {"workspace": workspace, "pipelines": str(files("pipelines") / "compiled"), "api": api}
    stages.decide(*folders, **places, now=now, settings=settings)
    show_decision(decision.path, reasons)
