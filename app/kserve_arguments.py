"""What KServe appends to the arguments of a transformer, held against the service's own settings.

KServe 0.21 adds `--model_name`, `--predictor_host` and `--http_port`, `--workers` where the component has a
`containerConcurrency`, each unless the container's `args` have it already (kserve/kserve,
pkg/apis/serving/v1beta1/transformer_custom.go). `--predictor_protocol` people give themselves.
"""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import typer

from lookalike.errors import ConfigError

log = logging.getLogger(__name__)

GRPC = "grpc-v2"
PREDICTOR_PORT = 80
"""Of the Service that KServe makes for a predictor."""
PANEL = "Appended by KServe"

ModelNameOption = Annotated[
    str, typer.Option("--model_name", help="The InferenceService's name, in the URLs.", rich_help_panel=PANEL)
]
PredictorHostOption = Annotated[
    str,
    typer.Option(
        "--predictor_host", help="KServe's address of Triton, asked where no other is named.", rich_help_panel=PANEL
    ),
]
PredictorProtocolOption = Annotated[
    str, typer.Option("--predictor_protocol", help=f"{GRPC}; Triton is asked in no other way.", rich_help_panel=PANEL)
]
HttpPortOption = Annotated[
    int | None, typer.Option("--http_port", min=0, max=65535, help="The same as --port.", rich_help_panel=PANEL)
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Not used: --processes says how many.", rich_help_panel=PANEL)
]


class KServeArguments(NamedTuple):
    """As KServe or people wrote them; empty where they did not."""

    model_name: Any = None
    predictor_host: Any = None
    predictor_protocol: Any = None
    http_port: Any = None
    workers: Any = None


def with_kserve(asked: Mapping[str, Any], told: KServeArguments) -> dict[str, Any]:
    """The service's settings with what KServe says beside them. Raises ConfigError where the two disagree."""
    if told.predictor_protocol and told.predictor_protocol != GRPC:
        raise ConfigError(f"--predictor_protocol is {told.predictor_protocol!r}; Triton is asked by {GRPC} only")
    values = {**asked}
    for name, value in (("model_name", told.model_name), ("http_port", told.http_port)):
        if value and str(values.setdefault(name, value)) != str(value):
            raise ConfigError(
                f"KServe says --{name} {value}, the service's settings say {values[name]}; "
                f"KServe says nothing where --{name} is among the container's args"
            )
    if told.predictor_host:
        _predictor(values, str(told.predictor_host))
    if told.workers:
        log.warning("--workers %s is not used: --processes says how many processes search", told.workers)
    return values


def _predictor(values: dict[str, Any], host: str) -> None:
    """KServe's address of Triton is the second choice: calls, not connections, may be balanced behind it."""
    address = host if ":" in host else f"{host}:{PREDICTOR_PORT}"
    if values.setdefault("triton_url", address) != address:
        log.info("Triton is asked at %s, and not at KServe's %s", values["triton_url"], address)
