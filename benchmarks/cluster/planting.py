"""Mistakes that people make in manifests, planted one at a time wherever they fit.

Places are found by the names of fields, and not by the code that is to notice the mistakes.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import yaml

Document = dict[str, Any]
Way = tuple[str | int, ...]
"""From a document to something inside: keys and positions."""
Change = Callable[[Document], None]
Changes = Iterator[tuple[Way, Change]]

FREE = {"annotations", "data", "labels", "limits", "matchLabels", "requests", "selector"}
"""Mappings whose keys anybody may choose."""
BEFOREHAND = "lookalike/made-beforehand"
SETTINGS = "service.yaml"
TAGS = ("latest", "main", "stable", "7", "edge-2", None)
ROOT = ({"runAsUser": 0}, {"runAsNonRoot": False}, {"runAsUser": 0, "runAsNonRoot": False})
WRONG = {"wrong": "type"}


class Plant(NamedTuple):
    """Manifests with one mistake."""

    sort: str
    where: str
    """Kind, name and field."""
    documents: list[Document]


def planted(sort: str, changes: Callable[[Document], Changes], documents: Sequence[Document]) -> Iterator[Plant]:
    """Every mistake of a sort, in the order of the documents."""
    for number, document in enumerate(documents):
        for way, change in changes(document):
            changed = copy.deepcopy(document)
            change(changed)
            where = f"{document['kind']}/{document['metadata']['name']} {'.'.join(map(str, way))}"
            yield Plant(sort, where, [*documents[:number], changed, *documents[number + 1 :]])


# ---- ways and changes


def walk(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Everything inside, with the way to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in inner:
        yield (*way, step), child
        yield from walk(child, (*way, step))


def holder(way: Way) -> str | int:
    """The field that a field, or an item of its list, belongs to."""
    return next((step for step in reversed(way[:-1]) if isinstance(step, str)), "")


def setting(way: Way, value: Any) -> tuple[Way, Change]:
    """Put a value at the end of the way."""
    return way, partial(_set, way, value)


def without(way: Way) -> tuple[Way, Change]:
    """Take away what lies at the end of the way."""
    return way, partial(_drop, way)


def misspelt(word: str) -> str:
    """The last two different neighbours change places; a letter is doubled where there are none."""
    for place in range(len(word) - 2, -1, -1):
        if word[place] != word[place + 1]:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word + word[-1:]


def in_settings(document: Document, changes: Callable[[Document], Changes]) -> Changes:
    """The same mistakes in the service's settings, where this document is their ConfigMap."""
    text = document.get("data", {}).get(SETTINGS) if document["kind"] == "ConfigMap" else None
    if text is None:
        return
    for way, change in changes(yaml.safe_load(text)):
        values = yaml.safe_load(text)
        change(values)
        yield ("data", SETTINGS, *way), partial(_set, ("data", SETTINGS), yaml.safe_dump(values))


def at(document: Any, way: Way) -> Any:
    """What lies at the end of the way."""
    for step in way:
        document = document[step]
    return document


def _set(way: Way, value: Any, document: Document) -> None:
    at(document, way[:-1])[way[-1]] = value


def _drop(way: Way, document: Document) -> None:
    del at(document, way[:-1])[way[-1]]


def _rename(way: Way, name: str, document: Document) -> None:
    mapping = at(document, way[:-1])
    mapping[name] = mapping.pop(way[-1])


# ---- sorts of mistakes


def typos(document: Document) -> Changes:
    """A field's name misspelt, in objects and in the service's settings."""
    yield from _typos(document)
    yield from in_settings(document, _typos)


def _typos(document: Document) -> Changes:
    for way, _ in walk(document):
        if isinstance(way[-1], str) and way not in (("kind",), ("apiVersion",)) and not FREE & set(way[:-1]):
            yield way, partial(_rename, way, misspelt(way[-1]))


def wrong_types(document: Document) -> Changes:
    """A mapping in a value's place, a number in quotes, a truth where there is text."""
    yield from _wrong_types(document)
    yield from in_settings(document, lambda values: (setting(way, WRONG) for way, _ in _values(values)))


def _wrong_types(document: Document) -> Changes:
    for way, value in _values(document):
        yield setting(way, WRONG)
        if isinstance(value, int) and not isinstance(value, bool):
            yield setting(way, str(value))
        if isinstance(value, str) and holder(way) in FREE:
            yield setting(way, True)


def _values(document: Document) -> Iterator[tuple[Way, Any]]:
    named = (("kind",), ("apiVersion",))
    return ((way, value) for way, value in walk(document) if not isinstance(value, dict) and way not in named)


def missing_secrets(document: Document) -> Changes:
    """A Secret that nobody makes, or a key that it will not have."""
    for way, value in walk(document):
        if way[-1] == "secretName" or way[-2:] == ("secretKeyRef", "name"):
            yield setting(way, misspelt(value))
        if str(way[-1]).startswith(BEFOREHAND):
            yield without(way)
            declared = yaml.safe_load(value)
            for name in declared:
                yield setting(way, yaml.safe_dump({each: declared[each] for each in declared if each != name}))
                yield setting(way, yaml.safe_dump({**declared, name: ["another"]}))


def roots(document: Document) -> Changes:
    """A pod or a container that may run as root."""
    for way, value in walk(document):
        if way[-1] == "securityContext":
            yield from (setting(way, {**value, **change}) for change in ROOT)
            yield from (without((*way, field)) for field in value if field == "runAsNonRoot")
            yield without(way)


def mutable_tags(document: Document) -> Changes:
    """An image that may be another tomorrow."""
    for way, value in walk(document):
        if way[-1] == "image":
            name = value.rpartition(":")[0]
            yield from (setting(way, name if tag is None else f"{name}:{tag}") for tag in TAGS)
