"""The last tasks of every pipeline that changes what is served."""

from typing import Any

from components.materialise_features import materialise_features
from components.release_model import release_model
from pipelines.tasks import always


def deploy(
    validated: Any, exported: Any, evaluation: Any, index: Any, workspace: Any, milvus_uri: Any, settings: Any
) -> None:
    """Materialise and release an index; called while a pipeline is being written down.

    These change the world outside the pipeline, so they are never taken from the cache.
    """
    filling = materialise_features(validated=validated, index=index, workspace=workspace, settings=settings)
    features = always(filling, "Materialise features").outputs["features"]
    releasing = release_model(
        validated=validated,
        exported=exported,
        evaluation=evaluation,
        index=index,
        features=features,
        workspace=workspace,
        milvus_uri=milvus_uri,
    )
    always(releasing, "Release")
