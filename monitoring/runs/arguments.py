"""Arguments are checked against the compiled pipeline before a run is asked for: KFP takes misspelled ones silently."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lookalike.errors import PipelineError
from monitoring.runs.protocol import RunRequest

KINDS: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "STRUCT": (dict,),
    "LIST": (list, tuple),
}
"""What a parameter of each KFP type may be in Python."""


def compiled_pipeline(pipelines: Path, name: str) -> Path:
    """The YAML of a pipeline. Raises PipelineError naming those there are."""
    path = pipelines / f"{name}.yaml"
    if not path.is_file():
        known = sorted(found.stem for found in pipelines.glob("*.yaml"))
        raise PipelineError(f"there is no pipeline '{name}' in {pipelines}; compiled are {known}")
    return path


def check_request(pipelines: Path, request: RunRequest) -> Path:
    """The YAML of the request's pipeline, once its arguments are found to fit. Raises PipelineError."""
    path = compiled_pipeline(pipelines, request.pipeline)
    specification = next(iter(yaml.safe_load_all(path.read_text(encoding="utf-8"))))
    check_parameters(request.pipeline, specification, request.arguments)
    return path


def check_parameters(name: str, specification: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raise PipelineError for an unknown, missing or ill-typed argument of a pipeline's specification (IR)."""
    inputs = specification["root"].get("inputDefinitions", {}).get("parameters", {})
    for argument, value in arguments.items():
        if argument not in inputs:
            near = difflib.get_close_matches(argument, inputs, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise PipelineError(f"pipeline '{name}' takes no '{argument}'{hint} (accepted: {sorted(inputs)})")
        _check_kind(name, argument, value, inputs[argument]["parameterType"])
    missing = sorted(one for one, spec in inputs.items() if not spec.get("isOptional") and one not in arguments)
    if missing:
        raise PipelineError(f"pipeline '{name}' needs {missing}")


def _check_kind(name: str, argument: str, value: Any, kind: str) -> None:
    accepted = KINDS[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise PipelineError(f"pipeline '{name}' takes '{argument}' as {kind}, not {value!r}")
