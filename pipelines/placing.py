"""A cluster's settings, laid on every task of a pipeline while it is written down."""

import functools
from collections.abc import Callable
from typing import Any

from kfp import kubernetes
from kfp.dsl.pipeline_context import Pipeline

from pipelines.cluster import ClusterSettings, Kind

TOLD_ONCE = "tell_outcome"
"""The component that is not tried again."""


def placed(wire: Callable[..., Any], cluster: ClusterSettings | None) -> Callable[..., Any]:
    """The same wiring, and after it each task given what the cluster has for it; unchanged for this machine."""
    if cluster is None:
        return wire

    @functools.wraps(wire)
    def written(*arguments: Any) -> Any:
        left = wire(*arguments)
        for task in Pipeline.get_default_pipeline().tasks.values():
            if task.container_spec is not None:  # a pipeline within has had its own tasks placed
                place_task(task, cluster)
        return left

    return written


def place_task(task: Any, cluster: ClusterSettings) -> None:
    """Image, resources, nodes, volumes, secrets and retries of one task."""
    name = task.component_spec.name.replace("-", "_")
    if cluster.registry:
        task.set_container_image(f"{cluster.registry.rstrip('/')}/{task.container_spec.image}")
    _take(task, cluster.kind(name))
    _run_as(task, cluster)
    _give(task, name, cluster)
    if name != TOLD_ONCE and cluster.retries.times:
        waits = cluster.retries
        task.set_retry(waits.times, f"{waits.seconds}s", waits.factor, f"{waits.most_seconds}s")


def _take(task: Any, kind: Kind) -> None:
    for setting in ("cpu_request", "cpu_limit", "memory_request", "memory_limit"):
        if amount := getattr(kind, setting):
            getattr(task, f"set_{setting}")(amount)
    if kind.accelerators:
        task.set_accelerator_type(kind.accelerator).set_accelerator_limit(kind.accelerators)
    for label, value in sorted(kind.node_selector.items()):
        kubernetes.add_node_selector(task, label, value)
    for taint in kind.tolerations:
        kubernetes.add_toleration(task, taint.key, taint.operator, taint.value, taint.effect)


def _run_as(task: Any, cluster: ClusterSettings) -> None:
    kubernetes.set_image_pull_policy(task, cluster.image_pull_policy)
    if cluster.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(cluster.image_pull_secrets))
    if cluster.user is not None:
        kubernetes.set_security_context(task, cluster.user, cluster.user, run_as_non_root=True)
    for label, value in sorted(cluster.labels.items()):
        kubernetes.add_pod_label(task, label, value)


def _give(task: Any, name: str, cluster: ClusterSettings) -> None:
    for volume in cluster.volumes:
        if volume.concerns(name):
            kubernetes.mount_pvc(task, volume.claim, volume.path, volume.folder)
    for secret in cluster.secrets:
        if secret.concerns(name):
            kubernetes.use_secret_as_env(task, secret.secret, {secret.key: secret.variable})
    for variable in cluster.variables:
        if variable.concerns(name):
            task.set_env_variable(variable.variable, variable.value)
