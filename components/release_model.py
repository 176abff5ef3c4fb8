"""Release: model, collection and features switched together."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def release_model(
    validated: Input[Dataset],
    exported: Input[Model],
    evaluation: Input[Artifact],
    index: Input[Artifact],
    features: Input[Artifact],
    workspace: str,
    milvus_uri: str,
) -> str:
    """Publish the model to Triton's repository and put the release in service; return its id.

    Args:
        validated: the validated catalogue.
        exported: the exported model.
        evaluation: the evaluation, with the drift reference.
        index: the index's record.
        features: the features' record.
        workspace: root of the shop's workspace.
        milvus_uri: where the collection is; empty for MILVUS_URI of the task's environment.
    """
    from lookalike import stages

    parts = (validated.path, exported.path, evaluation.path, index.path, features.path)
    return stages.release(*parts, workspace=workspace, milvus_uri=milvus_uri)
