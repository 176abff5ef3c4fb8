"""What `lookalike serve` will read in the cluster are settings that it accepts, of places that are there."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from typer.core import TyperGroup
from typer.exceptions import TyperException

from app.kserve_arguments import KServeArguments, with_kserve
from app.manifests.commands import Call, calls, parse
from app.manifests.mounted_files import SECRET, held_in, mount_of
from app.manifests.pods import Pod, listed, mapped, open_ports
from app.manifests.reading import Document, Finding, by_name
from app.options import with_overrides
from lookalike.errors import ConfigError
from lookalike.references import FILE
from lookalike.workspace import Workspace
from serving.settings import ServingSettings


def settings_findings(documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup) -> Iterator[Finding]:
    """Of every container that serves."""
    for call in _serving(made):
        try:
            settings = service_settings(documents, call, root)
        except (ConfigError, TyperException) as error:
            yield Finding(call.pod.owner, f"lookalike serve: {error}")
            continue
        yield from (Finding(call.pod.owner, f"lookalike serve: {wrong}") for wrong in _wrong(settings, call, documents))


def served(
    documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup
) -> Iterator[tuple[Call, ServingSettings]]:
    """Every container that serves, with its settings where they are any."""
    for call in _serving(made):
        with contextlib.suppress(ConfigError, TyperException):  # said by `settings_findings`
            yield call, service_settings(documents, call, root)


def service_settings(documents: Sequence[Document], call: Call, root: TyperGroup) -> ServingSettings:
    """As the container will have them. Raises ConfigError for what is not accepted, and for a file that is nowhere."""
    asked = parse(root, call).options
    values = _mounted(asked["settings"], call, documents) if "settings" in asked else {}
    values = with_overrides(values, asked.get("overrides"))
    ports = {"http_port": asked.get("port"), "grpc_port": asked.get("grpc_port"), "host": asked.get("host")}
    values |= {name: value for name, value in ports.items() if value is not None}
    values = with_kserve(values, KServeArguments(*(asked.get(name) for name in KServeArguments._fields)))
    milvus = values.pop("milvus_uri", "http://as.the.environment.says")
    return ServingSettings.of_workspace(Workspace(Path(asked.get("workspace", "/workspace"))), milvus, **values)


def _serving(made: Sequence[Pod]) -> list[Call]:
    return [call for call in calls(made) if call.arguments[:1] == ["serve"]]


def _wrong(settings: ServingSettings, call: Call, documents: Sequence[Document]) -> Iterator[str]:
    for field in ("triton_url", "triton_http"):
        address = getattr(settings, field)
        if address is not None and not _is_served(address, documents):
            yield f"{field} is {address!r}, which is no Service with that port"
    for port in (settings.http_port, settings.grpc_port):
        if port not in open_ports(call.container):
            yield f"listens on {port}, which is no port of the container"
    for field in ("releases", "query_log", "feedback"):
        place = getattr(settings, field)
        mount = place and mount_of(str(place), call.container)
        if place is not None and (not mount or mount.get("readOnly")):
            yield f"{field} is {place}, where the container cannot write"
    if not mount_of(str(settings.model_repository), call.container):
        yield f"model_repository is {settings.model_repository}, where nothing is mounted"
    keys = settings.access.keys or ""
    if keys.startswith(FILE) and held_in(keys.removeprefix(FILE), call.container, call.pod, documents) != SECRET:
        yield f"access.keys is {keys}, which no mounted Secret has"


def _is_served(address: str, documents: Sequence[Document]) -> bool:
    """An address without dots is a Service of the same namespace."""
    host, _, port = address.partition(":")
    if "." in host:
        return True
    service = by_name(documents).get(f"Service/{host}", {})
    return any(str(each.get("port")) == port for each in listed(service.get("spec"), "ports"))


def _mounted(path: str, call: Call, documents: Sequence[Document]) -> dict[str, Any]:
    mount = mount_of(path, call.container)
    name = mapped(call.pod.volumes.get(str(mount.get("name")), {}), "configMap").get("name")
    text = mapped(by_name(documents).get(f"ConfigMap/{name}", {}), "data").get(PurePosixPath(path).name)
    if not isinstance(text, str):
        raise ConfigError(f"--settings {path} is in no mounted ConfigMap")
    try:
        values = yaml.load(text, yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must map names to settings")
    return values
