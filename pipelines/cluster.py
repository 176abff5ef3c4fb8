"""What tasks need of a cluster: one strict settings file."""

from pathlib import Path
from pkgutil import iter_modules
from typing import Literal

from pydantic import Field, model_validator

import components
from lookalike.config import StrictConfig, load_config

SHIPPED = Path(__file__).parent / "cluster.yaml"
"""Fits deploy/overlays/production."""
HELPERS = {"image", "outcome"}
TASKS = frozenset(module.name for module in iter_modules(components.__path__)) - HELPERS
"""Names of the components."""
Quantity = Field(default="", pattern=r"^(\d+(m|E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|K|Ki)?)?$")


class Toleration(StrictConfig):
    """A taint of nodes that tasks put up with."""

    key: str
    """Of the taint."""
    operator: Literal["Equal", "Exists"] = "Exists"
    """How `value` is compared."""
    value: str | None = None
    """Of the taint, for `Equal`."""
    effect: Literal["NoExecute", "NoSchedule", "PreferNoSchedule"] = "NoSchedule"
    """Of the taint."""


class Kind(StrictConfig):
    """What one kind of task takes of a node, and which nodes it goes to."""

    cpu_request: str = Quantity
    """Cores that are set aside, such as 500m; empty for none."""
    cpu_limit: str = Quantity
    """Cores that are not exceeded; empty for no limit."""
    memory_request: str = Quantity
    """Memory that is set aside, such as 2Gi; empty for none."""
    memory_limit: str = Quantity
    """Memory beyond which the task is ended; empty for no limit."""
    accelerators: int = Field(default=0, ge=0)
    """GPUs or other accelerators."""
    accelerator: str = "nvidia.com/gpu"
    """Name by which Kubernetes counts them."""
    node_selector: dict[str, str] = {}
    """Labels of the nodes it goes to."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints it puts up with."""


class OfTasks(StrictConfig):
    """Something that all tasks have, or some."""

    tasks: tuple[str, ...] = ()
    """Components by name; empty for all."""

    def concerns(self, task: str) -> bool:
        return not self.tasks or task in self.tasks


class Volume(OfTasks):
    """A claim, or a folder of it, mounted into tasks."""

    claim: str
    """PersistentVolumeClaim in the namespace that runs are in."""
    path: str = Field(pattern="^/")
    """Where tasks find it."""
    folder: str = ""
    """Folder of the claim; empty for all of it."""


class SecretVariable(OfTasks):
    """An environment variable from a Secret."""

    secret: str
    """Its name, in the namespace that runs are in."""
    key: str
    """Which of its values."""
    variable: str
    """Name of the variable."""


class Variable(OfTasks):
    """An environment variable that everybody may read."""

    variable: str
    """Its name."""
    value: str
    """What it holds."""


class Retries(StrictConfig):
    """How often a failed task is tried again. Stages are written aside and sealed, so that a second try is safe."""

    times: int = Field(default=3, ge=0)
    """After the first; pods are evicted and servers restart."""
    seconds: int = Field(default=30, ge=0)
    """Before the first retry."""
    factor: float = Field(default=2.0, ge=1)
    """By which each wait is longer than the one before."""
    most_seconds: int = Field(default=600, ge=0)
    """The longest wait."""


class ClusterSettings(StrictConfig):
    """Everything a cluster adds to the pipelines."""

    registry: str = ""
    """Registry and folder before the images' names; empty for the engine's default."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Tags are never moved, so a node that has one needs no other."""
    image_pull_secrets: tuple[str, ...] = ()
    """Secrets to pull with."""
    user: int | None = Field(default=10001, ge=1)
    """User and group of the images; null to leave it to them."""
    labels: dict[str, str] = {}
    """Of every task's pod, by which network policies know it."""
    kinds: dict[str, Kind] = {"light": Kind()}
    """Kinds of tasks by name; `light` is that of every task not named in `kind_of`."""
    kind_of: dict[str, str] = {}
    """Kind by component."""
    volumes: tuple[Volume, ...] = ()
    """What is mounted."""
    secrets: tuple[SecretVariable, ...] = ()
    """Secrets in the environment, for the tasks that need them alone."""
    variables: tuple[Variable, ...] = ()
    """Further variables."""
    retries: Retries = Retries()
    """Of every task but the notice, which would be posted twice."""

    @model_validator(mode="after")
    def _names_agree(self) -> "ClusterSettings":
        named = {*self.kind_of, *(task for part in self._parts() for task in part.tasks)}
        if unknown := sorted(named - TASKS):
            raise ValueError(f"there are no components {unknown}; there are {sorted(TASKS)}")
        if unknown := sorted({"light", *self.kind_of.values()} - set(self.kinds)):
            raise ValueError(f"there are no kinds {unknown}; there are {sorted(self.kinds)}")
        return self

    def kind(self, task: str) -> Kind:
        """What a component takes."""
        return self.kinds[self.kind_of.get(task, "light")]

    def variable_names(self) -> set[str]:
        """Variables of the environment that some task has."""
        return {secret.variable for secret in self.secrets} | {variable.variable for variable in self.variables}

    def _parts(self) -> tuple[OfTasks, ...]:
        return (*self.volumes, *self.secrets, *self.variables)


def read_cluster(path: Path = SHIPPED) -> ClusterSettings:
    """The settings of a file. Raises ConfigError."""
    return load_config(ClusterSettings, path)
