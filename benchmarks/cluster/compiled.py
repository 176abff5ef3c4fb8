"""A compiled pipeline read back: its tasks, wherever they are nested, and where each of their inputs comes from."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml

Document = Mapping[str, Any]
CONDITION = re.compile(r"inputs\.parameter_values\['(?P<channel>[^']+)'\] == '(?P<value>[^']*)'")


class Argument(NamedTuple):
    """A parameter of the pipeline."""

    name: str


class Output(NamedTuple):
    """What a task made."""

    task: str
    key: str


class Constant(NamedTuple):
    """A value that stands in the pipeline, as JSON."""

    text: str


class Item(NamedTuple):
    """One of a list, in a loop."""

    of: "Source"


class Status(NamedTuple):
    """How the tasks before ended."""


Source = Argument | Output | Constant | Item | Status


@dataclass(frozen=True)
class Task:
    """One task that runs something."""

    name: str
    title: str
    component: str
    """Name of the function."""
    cached: bool
    inputs: Mapping[str, Source]
    conditions: tuple[tuple[Source, str], ...] = ()
    """What must be equal for it to run."""
    loop: Source | None = None
    """The list that it runs for each item of."""


def read_compiled(path: Path) -> tuple[Document, Document]:
    """Pipeline and platform of a compiled file; the second is empty where nothing is asked of a platform."""
    pipeline, *platform = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return pipeline, platform[0] if platform else {}


def tasks_of(pipeline: Document) -> dict[str, Task]:
    """Every task by its name, which is one of its own in all the pipelines here."""
    arguments = pipeline["root"].get("inputDefinitions", {}).get("parameters", {})
    around = {name: Argument(name) for name in arguments}
    found = list(_Reader(pipeline).tasks(pipeline["root"]["dag"], around, Task("", "", "", False, {})))
    named = {task.name: task for task in found}
    assert len(named) == len(found), "two tasks have one name"
    return named


def roots_of(tasks: Mapping[str, Task], name: str) -> set[Source]:
    """What decides a cached task: arguments, and outputs of tasks that always run, at whatever remove."""
    roots: set[Source] = set()
    for given in tasks[name].inputs.values():
        source = given.of if isinstance(given, Item) else given
        if isinstance(source, Output) and tasks[source.task].cached:
            roots |= roots_of(tasks, source.task)
        elif not isinstance(source, Constant | Status):
            roots.add(source)
    return roots


class _Reader:
    """Follows names through the pipelines within a pipeline."""

    def __init__(self, pipeline: Document) -> None:
        self.components = pipeline["components"]
        self.executors = pipeline["deploymentSpec"]["executors"]

    def tasks(self, dag: Document, around: Mapping[str, Source], held: Task) -> Iterator[Task]:
        """Tasks of a graph; `held` has the conditions and the loop around it."""
        for name, spec in dag["tasks"].items():
            component = self.components[spec["componentRef"]["name"]]
            given = {key: self.source(dag, around, one) for key, one in _given(spec)}
            if "dag" in component:
                yield from self._within(spec, component, given, around, held)
                continue
            command = self.executors[component["executorLabel"]]["container"]["args"]
            cached = bool(spec.get("cachingOptions", {}).get("enableCache"))
            known = {"title": spec["taskInfo"]["name"], "component": command[-1], "cached": cached}
            yield replace(held, name=name, inputs=given, **known)

    def _within(
        self, spec: Document, component: Document, given: dict[str, Source], around: Mapping[str, Source], held: Task
    ) -> Iterator[Task]:
        if condition := spec.get("triggerPolicy", {}).get("condition"):
            read = CONDITION.fullmatch(condition)
            assert read is not None, condition
            held = replace(held, conditions=(*held.conditions, (given[read["channel"]], read["value"])))
        if "parameterIterator" in spec:
            items = given[spec["parameterIterator"]["items"]["inputParameter"]]
            held = replace(held, loop=items)
            given = {**given, spec["parameterIterator"]["itemInput"]: Item(items)}
        yield from self.tasks(component["dag"], given, held)

    def source(self, dag: Document, around: Mapping[str, Source], spec: Document) -> Source:
        """Where one input comes from."""
        for kind in ("componentInputParameter", "componentInputArtifact"):
            if kind in spec:
                return around[spec[kind]]
        for kind, key in (("taskOutputParameter", "outputParameterKey"), ("taskOutputArtifact", "outputArtifactKey")):
            if kind in spec:
                return self._made(dag, spec[kind]["producerTask"], spec[kind][key])
        if "taskFinalStatus" in spec:
            return Status()
        return Constant(json.dumps(spec["runtimeValue"]["constant"], sort_keys=True))

    def _made(self, dag: Document, task: str, key: str) -> Source:
        """An output of a task, or of the task within it that makes it."""
        component = self.components[dag["tasks"][task]["componentRef"]["name"]]
        if "dag" not in component:
            return Output(task, key)
        inner = component["dag"]
        (selected,) = inner["outputs"]["artifacts"][key]["artifactSelectors"]
        return self._made(inner, selected["producerSubtask"], selected["outputArtifactKey"])


def _given(spec: Document) -> Iterator[tuple[str, Document]]:
    for kind in ("parameters", "artifacts"):
        yield from spec.get("inputs", {}).get(kind, {}).items()
