"""Arguments are checked before a run starts: KFP itself takes misspelled ones without a word."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict

from monitoring.runs.arguments import check_parameters


def check_arguments(pipeline: Any, arguments: Mapping[str, Any]) -> None:
    """Raise PipelineError for an unknown, missing or ill-typed argument, naming the pipeline's own."""
    check_parameters(pipeline.name, MessageToDict(pipeline.pipeline_spec), arguments)
