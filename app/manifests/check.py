"""All that can be said of manifests without a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperGroup

from app.manifests.addresses import address_findings
from app.manifests.commands import command_findings
from app.manifests.kserve import kserve_findings
from app.manifests.metrics import metric_findings
from app.manifests.mounted_files import file_findings
from app.manifests.places import place_findings
from app.manifests.pods import mapped, pods
from app.manifests.reading import Document, Finding, name_of, of_kind
from app.manifests.references import reference_findings
from app.manifests.safety import safety_findings
from app.manifests.schemas import schema_findings
from app.manifests.service_settings import settings_findings
from app.manifests.trainer import trainer_findings


def check(
    documents: Sequence[Document], root: TyperGroup, definitions: Mapping[str, dict[str, Any]] | None = None
) -> list[Finding]:
    """What is wrong, without repetitions; empty where nothing is.

    `root` is the command line whose verbs the containers run; `definitions` are strict schemas of kinds by name.
    """
    made = pods(documents)
    found = [
        *schema_findings(documents, made, definitions or {}),
        *_objects(documents),
        *kserve_findings(documents),
        *trainer_findings(documents),
        *reference_findings(documents, made),
        *address_findings(documents, made),
        *safety_findings(made),
        *command_findings(documents, made, root),
        *file_findings(documents, made),
        *settings_findings(documents, made, root),
        *place_findings(documents, made, root),
        *metric_findings(documents),
    ]
    return list(dict.fromkeys(found))


def _objects(documents: Sequence[Document]) -> list[Finding]:
    """Every object once, and in the one namespace that is there."""
    names = [name_of(document) for document in documents]
    twice = sorted({name for name in names if names.count(name) > 1})
    known = [mapped(each, "metadata").get("name") for each in of_kind(documents, "Namespace")]
    placed = [(each, mapped(each, "metadata").get("namespace")) for each in documents if each["kind"] != "Namespace"]
    outside = [
        Finding(name_of(document), f"is in namespace {place!r}, the manifests make {known}")
        for document, place in placed
        if place not in known
    ]
    return [*(Finding(name, "is there twice") for name in twice), *outside]
