"""Every metric of ours that a rule reads is one that our code exports."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from app.manifests.pods import listed
from app.manifests.reading import Document, Finding, name_of, of_kind

EXPORTERS = ("serving", "monitoring")
IN_CODE = re.compile(r'"(lookalike_[a-z_]+)"')
IN_RULES = re.compile(r"\blookalike_[a-z_]+")
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_info")
"""What Prometheus' client adds to a name by its kind."""


def metric_findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """Of every PrometheusRule."""
    for document in of_kind(documents, "PrometheusRule"):
        for group in listed(document.get("spec"), "groups"):
            for rule in listed(group, "rules"):
                for name in IN_RULES.findall(str(rule.get("expr"))):
                    if not is_exported(name):
                        told = rule.get("alert", rule.get("record"))
                        yield Finding(name_of(document), f"{told} reads {name}, which nothing exports")


@cache
def exported_names() -> frozenset[str]:
    """Names as the code of service and watch writes them, without what Prometheus' client adds."""
    root = Path(__file__).parents[2]
    files = [file for room in EXPORTERS for file in sorted((root / room).rglob("*.py"))]
    return frozenset(name for file in files for name in IN_CODE.findall(file.read_text(encoding="utf-8")))


def is_exported(name: str) -> bool:
    bare = [name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)]
    return any(each in exported_names() for each in (name, *bare))
