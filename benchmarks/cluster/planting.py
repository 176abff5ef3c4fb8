"""Mistakes that people make in manifests, planted one at a time wherever they fit.

Places are found by the names of fields alone and not by the code that is to notice them.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml

Document = dict[str, Any]
Path = tuple[str | int, ...]

FREE = {"annotations", "data", "labels", "limits", "matchLabels", "requests", "selector"}
"""Mappings whose keys anybody may choose."""
BEFOREHAND = "lookalike/made-beforehand"
SETTINGS = "service.yaml"
NAMING = {
    "claimName", "serviceAccountName", "runtime", "serviceName", "subPath", "targetPort",
}  # fmt: skip
"""Fields that name another object, or a part of one."""
NAMED_IN = {"configMap", "configMapKeyRef", "volumeMounts"}
"""Fields in which `name` names another object."""
TAGS = ("latest", "main", "stable", "7", "edge-2", None)
ROOT: tuple[dict[str, Any], ...] = ({"runAsUser": 0}, {"runAsNonRoot": False}, {"runAsUser": 0, "runAsNonRoot": False})


class Plant(NamedTuple):
    """Manifests with one mistake."""

    kind: str
    """Which sort of mistake."""
    where: str
    """Kind, name and field."""
    documents: list[Document]


def plants(documents: Sequence[Document]) -> Iterator[Plant]:
    """Every mistake of every sort, in the order of the documents."""
    for sort, places in SORTS.items():
        for number, document in enumerate(documents):
            for path, change in places(document):
                changed = copy.deepcopy(document)
                change(changed)
                name = document["metadata"]["name"]
                where = f"{document['kind']}/{name} {'.'.join(str(step) for step in path)}"
                yield Plant(sort, where, [*documents[:number], changed, *documents[number + 1 :]])
    yield from _lost_objects(documents)


Change = Callable[[Document], None]
Places = Iterator[tuple[Path, Change]]


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything inside, with the way to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in inner:
        yield (*path, step), child
        yield from walk(child, (*path, step))


def at(document: Any, path: Path) -> Any:
    """What lies at the end of the way."""
    for step in path:
        document = document[step]
    return document


def misspelt(word: str) -> str:
    """Two neighbouring letters change places, or the last is doubled where all are the same."""
    for place in range(len(word) - 2, -1, -1):
        if word[place] != word[place + 1]:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word + word[-1:]


def setting(path: Path, value: Any) -> tuple[Path, Change]:
    """Put a value at the end of the way."""
    return path, lambda document: at(document, path[:-1]).__setitem__(path[-1], value)


def without(path: Path) -> tuple[Path, Change]:
    """Take away what lies at the end of the way."""
    return path, lambda document: at(document, path[:-1]).__delitem__(path[-1])


def typos(document: Document) -> Places:
    """A field's name misspelt, in the objects and in the service's settings."""
    for path, _ in walk(document):
        field = path[-1]
        if isinstance(field, str) and len(path) > 1 and not FREE & set(path[:-1]):
            yield path, lambda changed, path=path: _rename(at(changed, path[:-1]), path[-1], misspelt(path[-1]))
    values = yaml.safe_load(_settings(document))
    for path, _ in walk(values):
        if isinstance(path[-1], str):
            wrong = copy.deepcopy(values)
            _rename(at(wrong, path[:-1]), path[-1], misspelt(path[-1]))
            yield ("data", SETTINGS, *path), setting(("data", SETTINGS), yaml.safe_dump(wrong))[1]


def wrong_types(document: Document) -> Places:
    """A mapping in a value's place; a number in quotes; a number or a truth where there is text."""
    for path, value in walk(document):
        if path[0] in ("apiVersion", "kind") or isinstance(value, dict):
            continue
        yield setting(path, {"wrong": "type"})
        if isinstance(value, int) and not isinstance(value, bool):
            yield setting(path, str(value))
        if isinstance(value, str) and FREE & set(map(str, path[:-1])) and not {"limits", "requests"} & set(path):
            yield setting(path, True)
    values = yaml.safe_load(_settings(document))
    for path, value in walk(values):
        if not isinstance(value, dict):
            wrong = copy.deepcopy(values)
            setting(path, {"wrong": "type"})[1](wrong)
            yield ("data", SETTINGS, *path), setting(("data", SETTINGS), yaml.safe_dump(wrong))[1]


def dangling(document: Document) -> Places:
    """A name of something that is not there: objects, keys, volumes, labels, ports, options, variables, metrics."""
    for path, value in walk(document):
        steps, field = set(path), path[-1]
        inside = path[-2] if isinstance(path[-2:-1] and path[-2], str) else path[-3:-2] and path[-3]
        named = field in NAMING or (field == "name" and inside in NAMED_IN)
        selects = "matchLabels" in steps and "namespaceSelector" not in steps
        selects |= document["kind"] == "Service" and "selector" in steps
        labels = path[-2:-1] == ("labels",) and "template" in steps and "app.kubernetes.io/part-of" != field
        labels &= any(label in str(field) for label in ("job", "redis")) or value == "redis"
        key = field == "key" and inside in ("configMapKeyRef", "secretKeyRef")
        if isinstance(value, str) and (named or key or labels or (selects and not isinstance(value, dict))):
            yield setting(path, misspelt(value))
        if field == "port" and document["kind"] == "ServiceMonitor":
            yield setting(path, misspelt(value))
        if field in ("port", "targetPort") and isinstance(value, int) and ("spec", "ports") != path[:2]:
            if set(map(str, steps)) & {"httpGet", "grpc", "tcpSocket"}:
                yield setting(path, value + 7)
        if field == "targetPort" and isinstance(value, int):
            yield setting(path, value + 7)
        if inside in ("args", "command") and isinstance(value, str) and value.startswith("--") and "lookalike" in str(
            document["metadata"]["name"]
        ) and document["kind"] in ("Job", "CronJob"):
            yield setting(path, misspelt(value))
        if field == "name" and inside == "env" and value != "HOME":
            yield setting(path, misspelt(value))
        if field == "expr":
            yield setting(path, value.replace("lookalike_", "lookalike_no_", 1))
    yield from _dangling_settings(document)


def missing_secrets(document: Document) -> Places:
    """A Secret that nobody made, or a key that it does not have."""
    for path, value in walk(document):
        if path[-1] == "secretName" or path[-2:] == ("secretKeyRef", "name"):
            yield setting(path, misspelt(value))
        if path[-1] == BEFOREHAND:
            yield without(path)
            declared = yaml.safe_load(value)
            for name in declared:
                if name.startswith("Secret/"):
                    yield setting(path, yaml.safe_dump({each: declared[each] for each in declared if each != name}))
                    yield setting(path, yaml.safe_dump({**declared, name: ["another"]}))


def roots(document: Document) -> Places:
    """A pod or a container that may run as root."""
    for path, value in walk(document):
        if path[-1] != "securityContext":
            continue
        for change in ROOT:
            yield setting(path, {**value, **change})
        if "runAsNonRoot" in value:
            yield without((*path, "runAsNonRoot"))
        yield without(path)


def mutable_tags(document: Document) -> Places:
    """An image that may be another tomorrow."""
    for path, value in walk(document):
        if path[-1] == "image":
            name = value.rpartition(":")[0]
            for tag in TAGS:
                yield setting(path, name if tag is None else f"{name}:{tag}")


SORTS: dict[str, Callable[[Document], Places]] = {
    "typo field": typos,
    "wrong type": wrong_types,
    "dangling reference": dangling,
    "missing secret": missing_secrets,
    "root user": roots,
    "mutable tag": mutable_tags,
}
NEEDED = {"ConfigMap", "PersistentVolumeClaim", "ServiceAccount", "Service", "ServingRuntime", "Namespace"}


def _lost_objects(documents: Sequence[Document]) -> Iterator[Plant]:
    """An object left out that others need; Grafana finds its dashboard by a label."""
    for number, document in enumerate(documents):
        name = document["metadata"]["name"]
        if document["kind"] in NEEDED and name != "lookalike-dashboard":
            left = [*documents[:number], *documents[number + 1 :]]
            yield Plant("dangling reference", f"{document['kind']}/{name} left out", left)


def _dangling_settings(document: Document) -> Places:
    values = yaml.safe_load(_settings(document)) or {}
    wrong = {
        "triton_url": ["lookalike-tritn:8001", "lookalike-triton:8010"],
        "triton_http": ["lookalike-tritn:8000"],
        "query_log": ["/log/query_log", "/workspace/query_log"],
        "access": [{"keys": "file:/etc/lookalike/keys/key.yaml"}],
    }
    for field in wrong.keys() & values.keys():
        for value in wrong[field]:
            yield ("data", SETTINGS, field), setting(("data", SETTINGS), yaml.safe_dump({**values, field: value}))[1]


def _settings(document: Document) -> str:
    return str(document.get("data", {}).get(SETTINGS, "{}")) if document["kind"] == "ConfigMap" else "{}"


def _rename(mapping: dict[Any, Any], old: Any, new: Any) -> None:
    mapping[new] = mapping.pop(old)
