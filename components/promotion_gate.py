"""The gate between evaluation and release."""

from kfp import dsl
from kfp.dsl import Artifact, Input

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promotion_gate(evaluation: Input[Artifact]) -> str:
    """Return "promote" or "hold", as the evaluation decided.

    Args:
        evaluation: the evaluation's output.
    """
    from lookalike import stages

    return stages.promotion(evaluation.path)
