"""Export: ONNX for Triton, proven equal to PyTorch."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

from components.image import TRAIN_IMAGE


@dsl.component(base_image=TRAIN_IMAGE, install_kfp_package=False)
def export_model(
    checkpoint: Input[Model],
    validated: Input[Dataset],
    splits: Input[Dataset],
    exported: Output[Model],
    card: Output[Markdown],
    metrics: Output[Metrics],
    settings: dict = {},
):
    """Export the model with its Triton configuration and check parity on catalogue photos.

    Args:
        checkpoint: the trained model.
        validated: the validated catalogue, for parity photos.
        splits: which products are train and validation, for rounded copies of the model.
        settings: overrides by stage name, here those of "export".
    """
    from components.outcome import log_record, show
    from lookalike import stages

    record = stages.export(checkpoint.path, validated.path, splits.path, exported.path, settings=settings)
    show(exported.path, "model_card.md", card)
    log_record(record, metrics)
