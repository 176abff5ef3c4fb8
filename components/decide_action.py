"""Decide: retrain, reindex or watch on, with reasons."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def decide_action(
    drift: Input[Artifact],
    decision: Output[Artifact],
    workspace: str,
    catalogue_digest: str,
    now: str,
    settings: dict = {},
):
    """Decide between "retrain", "reindex" and "watch", with reasons in words.

    Args:
        drift: the drift stage's output.
        workspace: root of the shop's workspace, with the history of earlier watches.
        catalogue_digest: digest of today's catalogue.
        now: time of the watch, UTC ISO 8601; empty for the present.
        settings: overrides by stage name, here those of "decide".
    """
    from monitoring import stages

    watch = {"workspace": workspace, "catalogue_digest": catalogue_digest, "now": now, "settings": settings}
    stages.decide(drift.path, decision.path, **watch)
