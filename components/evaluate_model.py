"""Evaluate: figures with intervals, and whether the challenger may replace the champion."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from components.image import TRAIN_IMAGE


@dsl.component(base_image=TRAIN_IMAGE, install_kfp_package=False)
def evaluate_model(
    validated: Input[Dataset],
    splits: Input[Dataset],
    checkpoint: Input[Model],
    exported: Input[Model],
    evaluation: Output[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    confusion: Output[ClassificationMetrics],
    roc: Output[ClassificationMetrics],
    workspace: str,
    champion: str = "",
    feedback: str = "",
    settings: dict = {},
):
    """Measure the challenger on the test split, beside the champion and the frozen backbone.

    Args:
        validated: the validated catalogue.
        splits: only the test split is measured.
        checkpoint: the challenger.
        exported: the challenger as it would be served, whose speed and size are compared with the champion's.
        workspace: root of the shop's workspace, where the champion is found.
        champion: id of the live release; empty before the first.
        feedback: name of the collected feedback that both models are compared on; empty for none.
        settings: overrides by stage name, here those of "evaluate".
    """
    from components.outcome import log_record, show, show_confusion, show_roc
    from lookalike import stages

    inputs = (validated.path, splits.path, checkpoint.path)
    record = stages.evaluate(
        *inputs,
        evaluation.path,
        workspace=workspace,
        champion=champion,
        exported=exported.path,
        feedback=stages.kept_feedback(feedback, workspace=workspace),
        settings=settings,
    )
    show(evaluation.path, "report.html", report)
    show_confusion(evaluation.path, confusion)
    show_roc(evaluation.path, roc)
    log_record(record, metrics)
