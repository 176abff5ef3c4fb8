"""Train: the multi-task embedding."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from components.image import TRAIN_IMAGE


@dsl.component(base_image=TRAIN_IMAGE, install_kfp_package=False)
def train_model(
    validated: Input[Dataset],
    splits: Input[Dataset],
    triplets: Input[Dataset],
    checkpoint: Output[Model],
    metrics: Output[Metrics],
    recipe: str,
    encoder: str,
    workspace: str,
    continue_from: str = "",
    trigger: str = "",
):
    """Train attributes, triplets and the variational autoencoder on one encoder.

    Args:
        validated: the validated catalogue.
        splits: only the train split is learned from.
        triplets: the mined triplets.
        recipe: the training recipe as YAML text, as in pipelines/recipes.
        encoder: digest of the pretrained encoder that the recipe names; empty for random weights or the hub's.
        workspace: root of the shop's workspace; an interrupted run picks up again there.
        continue_from: release whose weights to start from; empty for the recipe's own encoder.
        trigger: what asked for this run (a drift episode); a new one is a new run.
    """
    from components.outcome import log_record
    from lookalike import stages

    inputs = (validated.path, splits.path, triplets.path)
    record = stages.train(
        *inputs, checkpoint.path, recipe=recipe, workspace=workspace, continue_from=continue_from, processes=0
    )  # 0: one process for each GPU of the pod
    log_record(record, metrics)
