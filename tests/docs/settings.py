"""Settings on the pages, held to the classes that read them."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

import pipelines
from app.options import read_settings, read_values
from app.sizing.constants import constants
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.config import StrictConfig
from lookalike.errors import LookalikeError
from lookalike.stages import settings_for
from lookalike.workspace import Workspace
from serving.settings import ServingSettings
from tests.docs.code import FILE
from tests.docs.foreign import FOREIGN
from tests.docs.pages import ROOT, Page

DOTTED = re.compile(r"([a-z_]+)((?:\.[a-z_]+)+)(?:\.[*…])?(?:=.*)?")
RECEIVER = {"receivers", "route"}
"""Keys of Alertmanager's own file, which a page shows."""


@cache
def stage_settings() -> dict[str, type[StrictConfig]]:
    """Class by stage, read off the calls of `settings_for` in the stages."""
    found: dict[str, type[StrictConfig]] = {}
    for file in [*(ROOT / "lookalike" / "stages").glob("*.py"), ROOT / "monitoring" / "stages.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "settings_for":
                kind, _, stage = node.args
                found[ast.literal_eval(stage)] = _imported(file, ast.unparse(kind))
    return found


def setting_findings(page: Page) -> Iterator[str]:
    """Dotted settings in inline code, and blocks of YAML."""
    for code in page.inline:
        if (dotted := DOTTED.fullmatch(code)) and not FILE.fullmatch(code) and code.partition("=")[0] not in FOREIGN:
            group, path = dotted[1], dotted[2].split(".")[1:]
            kinds = _kinds(group)
            if kinds and not any(_holds(kind, path) for kind in kinds):
                yield f"`{code}`: {group} has no setting {'.'.join(path)}"
    for language, text in page.blocks:
        if language == "yaml":
            yield from _block_findings(text)


def is_setting(name: str) -> bool:
    """Whether a dotted name begins as a setting of a stage, the service or a mapping does."""
    return bool(_kinds(name.partition(".")[0]))


def wrong_overrides(verb: str, values: list[str]) -> Iterator[str]:
    """Of all `--set` of a command; a value that is left out (`NAME=VALUE`) stands for any."""
    given = [value for value in values if not value.endswith("VALUE")]
    try:
        if verb in OF_VERB:
            OF_VERB[verb](read_values(None, given))
        else:
            _stages(read_settings(None, given))
    except KeyError as error:
        yield f"--set: there is no stage {error}"
    except LookalikeError as error:
        yield str(error)


def _block_findings(text: str) -> Iterator[str]:
    for values in yaml.safe_load_all(text):
        if "apiVersion" in values or RECEIVER & set(values):
            continue
        if _refusal(values, _stages) and not any(_fits(kind, values) for kind in configurations()):
            yield f"YAML that begins with {next(iter(values))!r} is nobody's settings: {_refusal(values, _service)}"


@cache
def configurations() -> tuple[type[StrictConfig], ...]:
    """Every class of settings that the command line or a pipeline reads."""
    for module in pkgutil.iter_modules(pipelines.__path__):
        importlib.import_module(f"pipelines.{module.name}")
    found, left = list[type[StrictConfig]](), [StrictConfig]
    while left:
        inner = left.pop().__subclasses__()
        found += inner
        left += inner
    return tuple(found)


def _fits(kind: type[StrictConfig], values: dict[str, Any]) -> bool:
    """Whether these are some of its settings; a page need not show those that have to be given."""
    try:
        kind.model_validate(values)
    except ValidationError as error:
        return all(problem["type"] == "missing" for problem in error.errors())
    return True


def _refusal(values: dict[str, Any], reader: Any) -> str:
    try:
        reader(values)
    except (LookalikeError, KeyError, TypeError) as error:
        return str(error)
    return ""


def _service(values: dict[str, Any]) -> None:
    ServingSettings.of_workspace(Workspace(Path("shop")), "http://milvus", **values)


def _stages(values: dict[str, Any]) -> None:
    for stage in values:
        settings_for(stage_settings()[stage], values, stage)


OF_VERB = {"serve": _service, "sizing": constants}
"""Verbs whose settings are not by stage."""


def _kinds(group: str) -> list[Any]:
    """What may hold settings under a group: a stage's class, the types of a field of the service or of the mapping."""
    kinds: list[Any] = [stage_settings()[group]] if group in stage_settings() else []
    for kind in (ServingSettings, CatalogueMapping):
        if group in kind.model_fields:
            kinds.append(kind.model_fields[group].annotation)
    return kinds


def _holds(kind: Any, path: list[str]) -> bool:
    """Whether a type has a setting, through unions and containers."""
    if not path:
        return True
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return path[0] in kind.model_fields and _holds(kind.model_fields[path[0]].annotation, path[1:])
    if isinstance(kind, type) and issubclass(kind, dict):
        return True
    return any(_holds(part, path) for part in get_args(kind))


def _imported(file: Path, name: str) -> type[StrictConfig]:
    """A class as the module, or a function in it, imports it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            kind: type[StrictConfig] = getattr(importlib.import_module(node.module or ""), name)
            return kind
    raise AssertionError(f"{file} names {name}, which it does not import")
