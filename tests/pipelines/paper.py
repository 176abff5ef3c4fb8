"""A machine for KFP's local runner whose tasks are done on paper: each writes what it is told to answer.

Which tasks run, in which order, with which inputs, and what comes from the cache, is all KFP's own doing.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kfp.local import status, subprocess_task_handler

Real = subprocess_task_handler.SubprocessTaskHandler
Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Ran(NamedTuple):
    """One task as it was run."""

    component: str
    """Name of the function."""
    parameters: dict[str, Any]
    image: str


@dataclass
class Paper:
    """What tasks answer, and what was run."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    """Output parameters by component, or a function of its input parameters; a single one is called Output."""
    failing: str = ""
    """The component that fails."""
    real: frozenset[str] = frozenset()
    """Components that do run, in processes of their own."""
    here: frozenset[str] = frozenset()
    """Components whose function is called in this process; they have parameters alone."""
    ran: list[Ran] = field(default_factory=list)

    def answer(self, ran: Ran) -> Mapping[str, Any]:
        """The output parameters of a task."""
        if ran.component in self.here:
            component = getattr(import_module(f"components.{ran.component}"), ran.component)
            return dict(zip(component.component_spec.outputs, component.python_func(**ran.parameters), strict=True))
        told = self.answers.get(ran.component, {})
        return told(ran.parameters) if callable(told) else told

    @property
    def names(self) -> list[str]:
        return [one.component for one in self.ran]


@contextmanager
def on_paper(patch: pytest.MonkeyPatch, paper: Paper) -> Iterator[Paper]:
    """Let the local runner's processes be done on paper."""

    class Handler(Real):
        def run(self) -> status.Status:
            words = self.full_command
            component = words[words.index("--function_to_execute") + 1]
            given = json.loads(words[words.index("--executor_input") + 1])
            paper.ran.append(Ran(component, given.get("inputs", {}).get("parameterValues", {}), self.image))
            if component in paper.real:
                return super().run()
            if component == paper.failing:
                sys.stdout.write("lookalike.errors.StorageError: the disk is full\n")
                return status.Status.FAILURE
            _answer(given["outputs"], paper.answer(paper.ran[-1]))
            return status.Status.SUCCESS

    with patch.context() as within:
        within.setattr(subprocess_task_handler, "SubprocessTaskHandler", Handler)
        yield paper


def _answer(outputs: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    for made in outputs.get("artifacts", {}).values():
        for artifact in made["artifacts"]:
            Path(artifact["uri"]).parent.mkdir(parents=True, exist_ok=True)
            Path(artifact["uri"]).write_text("on paper")
    Path(outputs["outputFile"]).parent.mkdir(parents=True, exist_ok=True)
    made = {"parameterValues": dict(told), "artifacts": outputs.get("artifacts", {})}
    Path(outputs["outputFile"]).write_text(json.dumps(made))
