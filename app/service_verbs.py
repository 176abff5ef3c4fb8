"""Verbs around a release in service: search it, serve it."""

import json
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from app.kserve_arguments import (
    HttpPortOption,
    KServeArguments,
    ModelNameOption,
    PredictorHostOption,
    PredictorProtocolOption,
    WorkersOption,
    with_kserve,
)
from app.local_services import milvus_for
from app.options import (
    DEFAULT_WORKSPACE,
    MilvusOption,
    ServiceSetOption,
    ServiceSettingsOption,
    TrustedKeysOption,
    WorkspaceOption,
    read_values,
)
from lookalike.errors import QueryError
from lookalike.index.filter_input import parse_where
from lookalike.index.predicates import Where
from lookalike.stages.arguments import milvus_token
from lookalike.workspace import Workspace

TRITON = Path(__file__).parents[1] / ".triton"
PhotoArgument = Annotated[Path, typer.Argument(help="Photo to search with.", exists=True, dir_okay=False)]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", help='Filter: ATTRIBUTE=VALUE, or JSON such as {"season": {"missing": true}}; repeatable.'),
]


def search(
    photo: PhotoArgument,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many products to answer with.")] = 10,
    where: WhereOption = None,
    group: Annotated[str, typer.Option(help="One answer per photo, product, item or design.")] = "product",
    narrow: Annotated[bool, typer.Option("--narrow", help="Products with the photo's sure attributes first.")] = False,
    colour_weight: Annotated[
        float, typer.Option(min=0, max=1, help="How much the photo's colours count beside its appearance.")
    ] = 0.0,
    crop: Annotated[
        str, typer.Option(help="Search with a part of the photo: LEFT,TOP,RIGHT,BOTTOM as fractions of it.")
    ] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Say of every answer why it stands there.")] = False,
    cursor: Annotated[str, typer.Option(help="Go on where the last answer ended; ask the rest as before.")] = "",
    milvus: MilvusOption = "",
) -> None:
    """Find the products that look like a photo."""
    from app.answers import tell_answer
    from app.searching import search_photo

    shop = Workspace(workspace)
    asked = {
        "photo": photo.read_bytes(),
        "k": k,
        "filters": _filters(where),
        "group": group,
        "narrow": narrow,
        "colour_weight": colour_weight,
        "crop": _crop(crop) if crop else None,
        "explain": explain,
        "cursor": cursor or None,
    }
    with milvus_for(shop, milvus) as uri:
        answer = search_photo(shop, uri, asked)
    tell_answer(answer)


def serve(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    settings: ServiceSettingsOption = None,
    overrides: ServiceSetOption = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; loopback unless you say otherwise.", show_default="127.0.0.1"),
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="REST port.", show_default="8080")] = None,
    grpc_port: Annotated[int | None, typer.Option(min=0, max=65535, help="gRPC port.", show_default="8081")] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that search beside this one, such as one per core.", show_default="0"),
    ] = None,
    milvus: MilvusOption = "",
    triton: Annotated[
        str, typer.Option(help="Triton's gRPC address; without one the local one starts.", envvar="TRITON_URL")
    ] = "",
    trusted_keys: TrustedKeysOption = "",
    model_name: ModelNameOption = "",
    predictor_host: PredictorHostOption = "",
    predictor_protocol: PredictorProtocolOption = "",
    http_port: HttpPortOption = None,
    workers: WorkersOption = None,
) -> None:
    """Serve the live release until interrupted: a web page, plain HTTP, KServe's v1 and v2 protocols.

    Options win over --set, and --set over the file.
    """
    from app.triton_choice import local_triton
    from serving.run import serve as run
    from serving.settings import ServingSettings

    logging.getLogger().setLevel(logging.INFO)
    shop, asked = Workspace(workspace), read_values(settings, overrides)
    ports = {"host": host, "http_port": port, "grpc_port": grpc_port}
    named = {**ports, "processes": processes, "triton_url": triton or None, "trusted_keys": trusted_keys or None}
    asked |= {name: value for name, value in named.items() if value is not None}
    asked = with_kserve(asked, KServeArguments(model_name, predictor_host, predictor_protocol, http_port, workers))
    asked.setdefault("milvus_token", milvus_token() or None)
    with ExitStack() as services:
        if "triton_url" not in asked:
            asked |= services.enter_context(local_triton(shop, TRITON))
        uri = services.enter_context(milvus_for(shop, milvus or asked.pop("milvus_uri", "")))
        chosen = ServingSettings.of_workspace(shop, uri, **asked)
        run(chosen, lambda rest, grpc: typer.echo(f"serving {workspace}: search by photo at {rest}/ (gRPC {grpc})"))


def openapi(
    output: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("docs/openapi.json"),
) -> None:
    """Write the OpenAPI document of the search service."""
    from serving.run import write_openapi

    typer.echo(f"{output} {'was renewed' if write_openapi(output) else 'is up to date'}")


def _filters(where: list[str] | None) -> Where:
    """ATTRIBUTE=VALUE several times over means any of the values; everything else must hold together."""
    listed: dict[str, list[str]] = {}
    written: Where = ()
    for condition in where or []:
        if condition.startswith("{"):
            written += parse_where(_json(condition))
            continue
        name, separator, value = condition.partition("=")
        if not (separator and name and value):
            raise QueryError(f"--where {condition!r} is not of the form ATTRIBUTE=VALUE")
        listed.setdefault(name, []).append(value)
    return parse_where(listed) + written


def _crop(text: str) -> list[float]:
    try:
        return [float(edge) for edge in text.split(",")]
    except ValueError as error:
        raise QueryError(f"--crop {text!r} is not of the form LEFT,TOP,RIGHT,BOTTOM") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise QueryError(f"--where {text!r} is not JSON: {error}") from error


VERBS = (search, serve, openapi)
