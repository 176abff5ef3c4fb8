"""What KServe 0.21 refuses or passes over though its schema allows it, by the mode of deployment."""

from collections.abc import Iterator, Sequence

from app.manifests.pods import COMPONENTS, listed, mapped, pods
from app.manifests.reading import Document, Finding, name_of, of_kind

MODE, SCALER = "serving.kserve.io/deploymentMode", "serving.kserve.io/autoscalerClass"
STANDARD, KNATIVE = "Standard", "Knative"
SCALERS = ("hpa", "keda", "external", "none")
METRICS = {STANDARD: ("cpu", "memory"), KNATIVE: ("concurrency", "rps")}
ONLY = {"canaryTrafficPercent": KNATIVE, "containerConcurrency": KNATIVE, "deploymentStrategy": STANDARD}
"""Fields that the other mode passes over or refuses."""


def kserve_findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """Of every InferenceService; kserve/kserve, pkg/apis/serving/v1beta1/inference_service_validation.go."""
    for service in of_kind(documents, "InferenceService"):
        annotations = mapped(service, "metadata", "annotations")
        mode, scaler = annotations.get(MODE), annotations.get(SCALER, SCALERS[0])
        if mode not in (STANDARD, KNATIVE):
            yield Finding(name_of(service), f"{MODE} is {mode!r}; {STANDARD} and {KNATIVE} are accepted")
            continue
        if scaler not in SCALERS:
            yield Finding(name_of(service), f"{SCALER} is {scaler!r}; {', '.join(SCALERS)} are accepted")
        yield from (Finding(name_of(service), wrong) for wrong in _fields(service, mode))
        if mode == KNATIVE:
            yield from _ports(service, documents)


def _fields(service: Document, mode: str) -> Iterator[str]:
    for component in COMPONENTS:
        part = mapped(service, "spec", component)
        metric = part.get("scaleMetric")
        if metric is not None and metric not in METRICS[mode]:
            yield f"{component} is scaled by {metric!r}; in mode {mode} {METRICS[mode]} are accepted"
        for field in part.keys() & ONLY.keys():
            if ONLY[field] != mode:
                yield f"{component}.{field} counts in mode {ONLY[field]} only"


def _ports(service: Document, documents: Sequence[Document]) -> Iterator[Finding]:
    for pod in pods([service, *of_kind(documents, "ServingRuntime")]):
        ports = [port for container in pod.containers for port in listed(container, "ports")]
        if len(ports) != 1:
            yield Finding(pod.owner, f"has {len(ports)} ports; Knative takes one")
