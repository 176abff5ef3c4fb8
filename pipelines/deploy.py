"""The last tasks of every pipeline that changes what is served."""

from typing import Any

from components.materialise_features import materialise_features
from components.release_model import release_model


def deploy(
    validated: Any, exported: Any, evaluation: Any, index: Any, workspace: Any, milvus_uri: Any, settings: Any
) -> None:
    """Materialise and release what `index`'s task built; called while a pipeline is being written down.

    These change the world outside the pipeline, so they are never taken from the cache.
    """
    features = materialise_features(
        validated=validated, index=index.outputs["index"], workspace=workspace, settings=settings
    )
    features.set_caching_options(False)
    release_model(
        validated=validated,
        exported=exported,
        evaluation=evaluation,
        index=index.outputs["index"],
        features=features.outputs["features"],
        workspace=workspace,
        milvus_uri=milvus_uri,
    ).set_caching_options(False)
