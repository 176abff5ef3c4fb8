"""Collect: what shoppers clicked and bought, for mining and for the gate."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def collect_feedback(
    validated: Input[Dataset],
    splits: Input[Dataset],
    feedback: Output[Dataset],
    metrics: Output[Metrics],
    workspace: str,
    champion: str = "",
    settings: dict = {},
) -> str:
    """Join feedback to the answers it is about, guard it, and return the name it is kept under; empty for none.

    Later tasks take the name and not the artifact, whose address is new in every run: what shoppers did not change is
    taken from the cache.

    Args:
        validated: the validated catalogue.
        splits: queries of the train split teach, all others measure.
        workspace: root of the shop's workspace, with the query log and the feedback.
        champion: id of the live release; empty before the first.
        settings: overrides by stage name, here those of "feedback".
    """
    from components.outcome import log_record
    from lookalike import stages

    folders = (validated.path, splits.path, feedback.path)
    log_record(stages.collect_feedback(*folders, workspace=workspace, champion=champion, settings=settings), metrics)
    return stages.keep_feedback(feedback.path, workspace=workspace)
