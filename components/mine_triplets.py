"""Mine: triplets over many attributes, offline."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def mine_triplets(
    validated: Input[Dataset],
    splits: Input[Dataset],
    triplets: Output[Dataset],
    metrics: Output[Metrics],
    workspace: str,
    feedback: str = "",
    settings: dict = {},
):
    """Draw (anchor, positive, negative) across levels of attribute agreement.

    Args:
        validated: the validated catalogue.
        splits: only the train split is mined.
        workspace: root of the shop's workspace, where the feedback is kept.
        feedback: name of the collected feedback whose clicks are mined too; empty for none.
        settings: overrides by stage name, here those of "mine".
    """
    from components.outcome import log_record
    from lookalike import stages

    clicks = stages.kept_feedback(feedback, workspace=workspace)
    record = stages.mine(validated.path, splits.path, triplets.path, clicks=clicks, settings=settings)
    log_record(record, metrics)
