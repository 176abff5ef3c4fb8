"""Arguments are checked before a run starts: KFP itself takes misspelled ones without a word."""

import difflib
from collections.abc import Mapping
from typing import Any

from lookalike.errors import PipelineError


def check_arguments(pipeline: Any, arguments: Mapping[str, Any]) -> None:
    """Raise PipelineError for an unknown or missing argument, naming the pipeline's own."""
    inputs = pipeline.component_spec.inputs or {}
    for name in arguments:
        if name not in inputs:
            near = difflib.get_close_matches(name, inputs, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise PipelineError(f"pipeline '{pipeline.name}' takes no '{name}'{hint} (accepted: {sorted(inputs)})")
    missing = sorted(name for name, spec in inputs.items() if not spec.optional and name not in arguments)
    if missing:
        raise PipelineError(f"pipeline '{pipeline.name}' needs {missing}")
