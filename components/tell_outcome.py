"""The last task of every run, however it ended: what happened, why, where to look and what to do."""

from kfp import dsl
from kfp.dsl import PipelineTaskFinalStatus

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def tell_outcome(pipeline: str, run: str, run_id: str, workspace: str, status: PipelineTaskFinalStatus):
    """Write a notice into the workspace; where the environment names an address, post the notice of a failure to it.

    Args:
        pipeline: name of the pipeline.
        run: name of the run.
        run_id: id of the run.
        workspace: root of the shop's workspace; notices stand in its folder `notices`.
        status: how everything before this task ended; KFP fills it in.
    """
    from monitoring import stages

    stages.tell(pipeline, run, run_id, status.state, status.error_message or "", workspace=workspace)
