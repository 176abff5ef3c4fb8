"""Names of what is not there: objects, keys, volumes, labels, ports, options, variables, metrics; and lost objects."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.cluster.planting import Changes, Document, Plant, Way, at, holder, in_settings, misspelt, setting, walk

NAMING = {"claimName", "serviceAccountName", "runtime", "serviceName", "subPath"}
"""Fields that name another object or a part of one."""
NAMED_IN = {"configMap", "configMapKeyRef", "runtimeRef", "volumeMounts", "volumes"}
"""Fields in which `name` does."""
PROBED_BY = {"httpGet", "grpc", "tcpSocket"}
SELECTED = {"lookalike/job", "app.kubernetes.io/name"}
"""Labels of pods and services by which ours select."""
NEEDED = {
    "ConfigMap",
    "PersistentVolumeClaim",
    "ServiceAccount",
    "Service",
    "ServingRuntime",
    "TrainingRuntime",
    "Namespace",
}
IN_SETTINGS: dict[str, list[Any]] = {
    "triton_url": ["lookalike-tritno:8001", "lookalike-triton:8010"],
    "query_log": ["/log/query_log", "/logs/qeury_log", "/workspace/query_log"],
    "access": [{"keys": "file:/etc/lookalike/keys/key.yaml"}],
}


def dangling(document: Document) -> Changes:
    """Every name in a document, one letter off."""
    for way, value in walk(document):
        for noticed, wrong in RULES:
            if isinstance(value, str | int) and noticed(way, value, document):
                yield setting(way, wrong(value))
    yield from in_settings(document, _in_settings)


def lost_objects(documents: Sequence[Document]) -> Iterator[Plant]:
    """An object left out that others need; nobody names the dashboard, which Grafana finds by its label."""
    for number, document in enumerate(documents):
        name = document["metadata"]["name"]
        if document["kind"] in NEEDED and name != "lookalike-dashboard":
            left = [*documents[:number], *documents[number + 1 :]]
            yield Plant("dangling reference", f"{document['kind']}/{name} left out", left)


def _in_settings(values: Document) -> Changes:
    for field in IN_SETTINGS.keys() & values.keys():
        yield from (setting((field,), wrong) for wrong in IN_SETTINGS[field])


def _names(way: Way, _value: Any, _document: Document) -> bool:
    return way[-1] in NAMING or (way[-1] == "name" and holder(way) in NAMED_IN)


def _keys(way: Way, _value: Any, _document: Document) -> bool:
    return way[-1] == "key" and holder(way) in ("configMapKeyRef", "secretKeyRef")


def _selects(way: Way, _value: Any, document: Document) -> bool:
    if document["kind"] == "Service":
        return holder(way) == "selector"
    return holder(way) == "matchLabels" and "namespaceSelector" not in way


def _is_selected(way: Way, value: Any, document: Document) -> bool:
    if holder(way) != "labels" or way[-1] not in SELECTED:
        return False
    by_job = way[-1] == "lookalike/job" and document["kind"] == "CronJob"
    return by_job or value in ("redis", "lookalike-train") or document["kind"] == "Service"


def _ports(way: Way, _value: Any, document: Document) -> bool:
    monitored = way[-1] == "port" and document["kind"] == "ServiceMonitor"
    return monitored or way[-1] == "targetPort" or (way[-1] == "port" and holder(way) in PROBED_BY)


def _options(way: Way, value: Any, document: Document) -> bool:
    if holder(way) != "args" or not str(value).startswith("--"):
        return False
    return any(_runs(way, document, word) for word in ("lookalike", "torchrun"))


def _variables(way: Way, value: Any, _document: Document) -> bool:
    return way[-1] == "name" and holder(way) == "env" and value != "HOME"


def _expressions(way: Way, _value: Any, _document: Document) -> bool:
    return way[-1] == "expr"


def _serves(way: Way, value: Any, document: Document) -> bool:
    return holder(way) == "args" and str(value).endswith("service.yaml") and _runs(way, document, "serve")


def _asks_triton(way: Way, value: Any, document: Document) -> bool:
    return holder(way) == "args" and str(value).startswith("triton_http=") and _runs(way, document, "serve")


def _mirrors(way: Way, value: Any, document: Document) -> bool:
    return holder(way) == "args" and str(value).startswith("/") and _runs(way, document, "mirror")


def _refers_to_file(way: Way, value: Any, _document: Document) -> bool:
    return str(value).startswith("file:/") and holder(way) in ("args", "env")


def _runs(way: Way, document: Document, word: str) -> bool:
    """Whether the container's command, beside its arguments, has this word."""
    container = at(document, way[: max(place for place, step in enumerate(way) if step == "args")])
    return word in container.get("command", [])


def _one_off(value: Any) -> Any:
    return misspelt(value) if isinstance(value, str) else value + 7


def _another_metric(value: Any) -> Any:
    return value.replace("lookalike_", "lookalike_no_", 1)


Rule = tuple[Callable[[Way, Any, Document], bool], Callable[[Any], Any]]
RULES: tuple[Rule, ...] = (
    *((rule, _one_off) for rule in (_names, _keys, _selects, _is_selected, _ports, _options, _variables)),
    (_expressions, _another_metric),
    *((rule, _one_off) for rule in (_serves, _mirrors, _refers_to_file)),
    (_asks_triton, lambda value: value.replace("lookalike-triton", "lookalike-tritno")),
)
