"""Metrics, files, modules and every other name in inline code; links and their anchors."""

import importlib
import re
from collections.abc import Iterator

from app.manifests.metrics import exported_names, is_exported
from tests.docs.code import ANY_FILE, FILE, NAME, ROOMS, file_names, names, source
from tests.docs.foreign import FOREIGN
from tests.docs.pages import ROOT, Page
from tests.docs.settings import is_setting

METRIC = re.compile(r"\blookalike_[a-z_]+")
PATH = re.compile(r"(?<![\w./<{-])[\w.-]+(?:/[\w.*-]+)+/?")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?:\(\))?")
WEB = ("http://", "https://", "mailto:")


def name_findings(page: Page) -> Iterator[str]:
    """Of everything in inline code, and of metrics and paths in blocks."""
    for code in page.inline:
        yield from _metrics(code)
        yield from _files(code)
        yield from _modules(code)
        yield from _names(code)
    for language, text in page.blocks:
        yield from _metrics(text)
        yield from (_paths(text) if language in ("sh", "bash") else ())


def link_findings(page: Page) -> Iterator[str]:
    """Links to files and anchors that are not there."""
    for link in page.links:
        if link.startswith(WEB):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        if target and not path.exists():
            yield f"links to {link}, which is not there"
        elif anchor and path.suffix == ".md":
            other = page if path == page.path else Page(path, path.read_text(encoding="utf-8"))
            if anchor not in other.anchors:
                yield f"links to {link}; {path.name} has no such heading"


def _metrics(text: str) -> Iterator[str]:
    for name in METRIC.findall(text):
        begun = name.endswith("_") and any(each.startswith(name) for each in exported_names())
        if not begun and not is_exported(name):
            yield f"`{name}` is a metric that nothing exports"


def _paths(text: str) -> Iterator[str]:
    for path in PATH.findall(text):
        if path.partition("/")[0] in {*ROOMS, "docs"} and path not in FOREIGN and not list(ROOT.glob(path.rstrip("/"))):
            yield f"`{path}` is not there"


def _files(code: str) -> Iterator[str]:
    yield from _paths(code)
    for name in FILE.findall(code):
        if name not in file_names() and name not in FOREIGN:
            yield f"`{name}` is a file that nothing reads or writes"


def _modules(code: str) -> Iterator[str]:
    """Dotted names of our rooms; other lower-case ones have to be settings or files."""
    if not DOTTED.fullmatch(code) or code in FOREIGN or FILE.fullmatch(code):
        return
    if code.partition(".")[0] in ROOMS:
        if not _imports(code.removesuffix("()")):
            yield f"`{code}` cannot be imported"
    elif not is_setting(code) and f"{code.rpartition('.')[2]}" not in source():
        yield f"`{code}` is no setting, module or file"


def _imports(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ImportError:
        return bool(module) and _has(module, attribute)
    return True


def _has(module: str, attribute: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ImportError:
        outer, _, inner = module.rpartition(".")
        return bool(outer) and _has(outer, inner)


def _names(code: str) -> Iterator[str]:
    if "/" in code or code.startswith(("http", "kubectl", "curl")):
        return
    for name in NAME.findall(ANY_FILE.sub("", code)):
        begun = f"{name}_" in code
        if name not in names() and name not in FOREIGN and not begun and not METRIC.fullmatch(name):
            yield f"`{name}` is in no code, settings or results"


def stale_foreign(text: str) -> set[str]:
    """Allowed names that no page has any more."""
    return {name for name in FOREIGN if name not in text}
