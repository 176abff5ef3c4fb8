"""Selectors find something, and ports lead somewhere."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.manifests.pods import Pod, listed, mapped, open_ports
from app.manifests.reading import Document, Finding, name_of, of_kind

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
SELECTING = ("Deployment", "StatefulSet", "DaemonSet")
PERCENT = re.compile(r"\d{1,3}%")
ASKS = ("httpGet", "tcpSocket", "grpc")


def address_findings(documents: Sequence[Document], made: Sequence[Pod]) -> Iterator[Finding]:
    """Services, budgets, policies and monitors that select nothing; ports that nobody listens on."""
    for service in of_kind(documents, "Service"):
        yield from _service(service, made)
    for budget in of_kind(documents, "PodDisruptionBudget"):
        yield from _budget(budget)
    for policy in of_kind(documents, "NetworkPolicy"):
        yield from _policy_ports(policy, made)
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        for document in of_kind(documents, kind):
            for selector in _pod_selectors(document["kind"], mapped(document, "spec")):
                if not selected(selector, (pod.labels for pod in made)):
                    yield Finding(name_of(document), f"selects pods by {selector}, which no pod has")
    for monitor in of_kind(documents, "ServiceMonitor"):
        yield from _monitor(monitor, of_kind(documents, "Service"))
    yield from _unreached(documents, made)
    for document in documents:
        yield from _own_pods(document)
    for pod in made:
        yield from _probes(pod)
        yield from _spread(pod)


def selected(selector: Mapping[str, Any], candidates: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Labels among the candidates that have all of the selector's."""
    return [labels for labels in candidates if selector.items() <= labels.items()]


def _service(service: Document, made: Sequence[Pod]) -> Iterator[Finding]:
    selector = mapped(service, "spec", "selector")
    behind = [pod for pod in made if selector and selector.items() <= pod.labels.items()]
    if not behind:
        yield Finding(name_of(service), f"selects pods by {selector}, which no pod has")
        return
    for port in listed(service.get("spec"), "ports"):
        target = port.get("targetPort", port.get("port"))
        for pod in behind:
            if not any(target in open_ports(container) for container in pod.containers):
                yield Finding(name_of(service), f"leads to port {target!r} of {pod.owner}, where nobody listens")


def _budget(budget: Document) -> Iterator[Finding]:
    for field in ("minAvailable", "maxUnavailable"):
        amount = mapped(budget, "spec").get(field)
        if isinstance(amount, str) and not PERCENT.fullmatch(amount):
            yield Finding(name_of(budget), f"{field} is {amount!r}; a number or a percentage is accepted")


def _policy_ports(policy: Document, made: Sequence[Pod]) -> Iterator[Finding]:
    """Ports by name are of the pods in these manifests; what others call theirs is not known here."""
    named = [port for pod in made for container in pod.containers for port in open_ports(container)]
    for way in ("ingress", "egress"):
        for rule in listed(policy.get("spec"), way):
            for port in listed(rule, "ports"):
                if isinstance(port.get("port"), str) and port["port"] not in named:
                    yield Finding(name_of(policy), f"names port {port['port']!r}, which no pod has")


def _unreached(documents: Sequence[Document], made: Sequence[Pod]) -> Iterator[Finding]:
    """Where a policy closes everything, a pod that no other one names can neither be asked nor ask."""
    chosen = [mapped(policy, "spec", "podSelector", "matchLabels") for policy in of_kind(documents, "NetworkPolicy")]
    if {} in chosen:
        for pod in made:
            if not any(labels and selected(labels, [pod.labels]) for labels in chosen):
                yield Finding(pod.owner, f"is named by no network policy; its labels are {pod.labels}")


def _own_pods(document: Document) -> Iterator[Finding]:
    selector = mapped(document, "spec", "selector", "matchLabels")
    if document["kind"] in SELECTING and not selected(
        selector, [mapped(document, "spec", "template", "metadata", "labels")]
    ):
        yield Finding(name_of(document), f"selects pods by {selector}, which its own do not have")


def _pod_selectors(kind: str, spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Label selectors of this namespace's pods; an empty one means all."""
    if kind == "PodDisruptionBudget":
        yield mapped(spec, "selector", "matchLabels")
        return
    yield mapped(spec, "podSelector", "matchLabels")
    for way, side in (("ingress", "from"), ("egress", "to")):
        for rule in listed(spec, way):
            for peer in listed(rule, side):
                if "namespaceSelector" not in peer:
                    yield mapped(peer, "podSelector", "matchLabels")


def _monitor(monitor: Document, services: Sequence[Document]) -> Iterator[Finding]:
    selector = mapped(monitor, "spec", "selector", "matchLabels")
    behind = [service for service in services if selector.items() <= mapped(service, "metadata", "labels").items()]
    if not behind:
        yield Finding(name_of(monitor), f"selects services by {selector}, which none has")
    for endpoint in listed(monitor.get("spec"), "endpoints"):
        for service in behind:
            names = [port.get("name") for port in listed(service.get("spec"), "ports")]
            if endpoint.get("port") not in names:
                yield Finding(
                    name_of(monitor), f"{name_of(service)} has no port {endpoint.get('port')!r}; it has {names}"
                )


def _probes(pod: Pod) -> Iterator[Finding]:
    for container in pod.containers:
        for probe in PROBES:
            for ask in ASKS:
                port = mapped(container, probe, ask).get("port")
                if port is not None and port not in open_ports(container):
                    yield Finding(
                        pod.owner, f"the {probe} of {container.get('name')} asks port {port!r}, where nobody listens"
                    )


def _spread(pod: Pod) -> Iterator[Finding]:
    for constraint in listed(pod.spec, "topologySpreadConstraints"):
        selector = mapped(constraint, "labelSelector", "matchLabels")
        if not selected(selector, [pod.labels]):
            yield Finding(pod.owner, f"spreads pods with {selector}, which it does not have itself")
