"""The gate between evaluation and release."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Markdown, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promotion_gate(evaluation: Input[Artifact], verdict: Output[Markdown]) -> str:
    """Return "promote" or "hold", as the evaluation decided, and show why.

    Args:
        evaluation: the evaluation's output.
    """
    from components.outcome import show
    from lookalike import stages

    show(evaluation.path, "verdict.md", verdict)
    return stages.promotion(evaluation.path)
