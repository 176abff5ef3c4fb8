"""Split: no design, product or near-duplicate in two splits."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split_catalogue(validated: Input[Dataset], splits: Output[Dataset], metrics: Output[Metrics], settings: dict = {}):
    """Assign products to train, validation and test by groups that belong together.

    Args:
        validated: the validated catalogue.
        settings: overrides by stage name, here those of "split".
    """
    from components.outcome import log_record
    from lookalike import stages

    log_record(stages.split(validated.path, splits.path, settings=settings), metrics)
