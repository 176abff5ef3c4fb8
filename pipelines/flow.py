"""From a function that wires tasks to a pipeline: the tasks, and after them, however they ended, a notice.

KFP's `ExitHandler` is written down the same way, but gives out nothing of what its tasks made; the runner on this
machine and later pipelines want that. So the tasks are a pipeline within the pipeline, and the notice comes after it.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kfp import dsl

from components.tell_outcome import tell_outcome
from pipelines.cluster import ClusterSettings
from pipelines.placing import placed
from pipelines.tasks import always


@dataclass(frozen=True)
class Flow:
    """One pipeline, in the words of the interface that shows it."""

    name: str
    title: str
    """Of its tasks as one box."""
    description: str
    wire: Callable[..., Any]
    """Writes the tasks down; its signature and docstring are the pipeline's form. It takes a `workspace`."""

    def pipeline(self, cluster: ClusterSettings | None = None) -> Any:
        """The pipeline; with what tasks need of a cluster where it is to run on one."""
        steps = dsl.pipeline(name=f"{self.name}-steps", description=self.description)(placed(self.wire, cluster))

        @functools.wraps(self.wire)
        def told(*arguments: Any) -> Any:
            given = dict(zip(inspect.signature(self.wire).parameters, arguments, strict=True))
            made = steps(**given).set_display_name(self.title)
            self._tell(given["workspace"]).after(made).ignore_upstream_failure()
            left = inspect.signature(self.wire).return_annotation
            return left(*(made.outputs[name] for name in left._fields)) if left is not inspect.Signature.empty else None

        named = {"name": self.name, "description": self.description, "display_name": f"Lookalike: {self.name}"}
        return dsl.pipeline(**named)(placed(told, cluster))

    def _tell(self, workspace: Any) -> Any:
        run, run_id = dsl.PIPELINE_JOB_NAME_PLACEHOLDER, dsl.PIPELINE_JOB_ID_PLACEHOLDER
        return always(
            tell_outcome(pipeline=self.name, run=run, run_id=run_id, workspace=workspace), "Tell how the run ended"
        )
