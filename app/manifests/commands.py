"""Our own command lines in the manifests: every verb, option and variable exists and gets a value it takes."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from app.manifests.pods import TRAINER_SETS, Pod, listed, mapped, words
from app.manifests.reading import Document, Finding, of_kind
from lookalike.stages.arguments import MILVUS_TOKEN, MILVUS_URI
from lookalike.stages.trust import SIGNING_KEY, TRUSTED_KEYS

PLACEHOLDER = re.compile(r"\$\(([A-Za-z_]\w*)\)")
"""A variable of the container, as Kubernetes writes it into command and arguments."""
IN_FILE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
"""A variable in Feast's settings, as Feast reads it."""
ENDS = {"&&", "||", ";", "|"}
OF_EVERYBODY = {
    *("HOME", "TMPDIR", "PATH", "TZ", "OMP_NUM_THREADS", "PYTHONUNBUFFERED", "LD_PRELOAD", "MALLOC_ARENA_MAX"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"),
    *("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", *TRAINER_SETS),
}
"""Variables that the system, Python, a library or torchrun reads."""
OF_STAGES = {MILVUS_TOKEN, SIGNING_KEY, TRUSTED_KEYS}
"""Variables that stages read by themselves, under every verb that is told where Milvus is."""

STORE_READERS = {
    "serve",
    "watch",
    "features",
    "release",
    "update",
    "erase",
    "prune",
    "pipeline train",
    "pipeline refresh",
}
"""Verbs that open the feature store; what is only submitted to Kubeflow has its variables there."""


class Call(NamedTuple):
    """One of our verbs as a container runs it."""

    pod: Pod
    container: dict[str, Any]
    arguments: list[str]
    """Behind `lookalike`."""


class Parsed(NamedTuple):
    """A call taken apart by the verb's own command."""

    verb: TyperCommand
    options: dict[str, Any]
    """Values as they were written, by parameter; absent where nothing was given."""


def command_findings(documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup) -> Iterator[Finding]:
    """`root` is the command line's own."""
    in_files = feature_store_variables(documents)
    for pod in made:
        for container in pod.containers:
            yield from _placeholders(pod, container)
    for call in calls(made):
        where = f"lookalike {' '.join(call.arguments)}"
        try:
            parsed = parse(root, call)
        except TyperException as error:
            yield Finding(call.pod.owner, f"{where}: {error.format_message()}")
            continue
        yield from (Finding(call.pod.owner, f"{where}: {wrong}") for wrong in _values(parsed, call))
        variables = environment(call.container)
        readers = OF_EVERYBODY | in_files | set(_placeholders_of(call.container)) | _environment_options(parsed.verb)
        for name in sorted(variables - readers):
            yield Finding(call.pod.owner, f"{where}: nobody reads the variable {name}")
        if STORE_READERS & {*call.arguments[:1], " ".join(call.arguments[:2])}:
            missing = sorted(in_files - variables)
            yield from (Finding(call.pod.owner, f"{where}: feature_store.yaml needs {name}") for name in missing)


def calls(made: Sequence[Pod]) -> list[Call]:
    """Our verbs wherever a container runs them: directly, in a shell, or as processes of torchrun."""
    return [
        Call(pod, container, arguments)
        for pod in made
        for container in pod.containers
        for line in _lines(words(container))
        if (arguments := _of_ours(line)) is not None
    ]


def _of_ours(line: list[str]) -> list[str] | None:
    """What stands behind `lookalike`, or behind `torchrun ... -m app`."""
    program = line[0].rpartition("/")[2] if line else ""
    if program == "torchrun" and "app" in line and line[line.index("app") - 1] in ("-m", "--module"):
        return line[line.index("app") + 1 :]
    return line[1:] if program == "lookalike" else None


def parse(root: TyperGroup, call: Call) -> Parsed:
    """Raises TyperException for a verb or an option that does not exist, or an option without its value."""
    verb: Any = root
    rest = list(call.arguments)
    while isinstance(verb, TyperGroup):
        name = rest.pop(0) if rest else ""
        if name not in verb.commands:
            raise typer.BadParameter(f"there is no verb {name!r}; there are {', '.join(sorted(verb.commands))}")
        verb = verb.commands[name]
    options, _, _ = verb.make_parser(typer.Context(verb)).parse_args(rest)
    return Parsed(verb, {name: value for name, value in options.items() if value not in (None, ())})


def environment(container: dict[str, Any]) -> set[str]:
    """Names of a container's variables."""
    return {str(variable.get("name")) for variable in listed(container, "env")}


def feature_store_variables(documents: Sequence[Document]) -> set[str]:
    """Variables in every feature_store.yaml of a ConfigMap: whoever opens the store needs them."""
    texts = [mapped(each, "data").get("feature_store.yaml", "") for each in of_kind(documents, "ConfigMap")]
    return {name for text in texts for name in IN_FILE.findall(str(text))}


def _lines(tokens: list[str]) -> Iterator[list[str]]:
    """The commands of a shell's script one by one, or the one command there is."""
    if [token.rpartition("/")[2] for token in tokens[:2]] != ["sh", "-c"] or len(tokens) < 3:
        yield tokens
        return
    line: list[str] = []
    for token in [*shlex.split(tokens[2]), ";"]:
        if token in ENDS:
            yield line[line[:1] == ["exec"] :]
            line = []
        else:
            line.append(token)


def _values(parsed: Parsed, call: Call) -> Iterator[str]:
    given, context = environment(call.container), typer.Context(parsed.verb)
    parameters: list[Any] = list(parsed.verb.params)
    for parameter in parameters:
        value = parsed.options.get(parameter.name or "")
        if value is None and parameter.required and not given & _variables_of(parameter):
            yield f"{parameter.opts[0]} is missing"
        if isinstance(value, str) and parameter.bare_type in (int, float) and not PLACEHOLDER.search(value):
            try:
                parameter.process_value(context, value)
            except TyperException as error:
                yield error.format_message()


def _variables_of(parameter: Any) -> set[str]:
    return {parameter.envvar} if isinstance(parameter.envvar, str) else set(parameter.envvar or ())


def _environment_options(verb: TyperCommand) -> set[str]:
    named = {name for parameter in verb.params for name in _variables_of(parameter)}
    return named | OF_STAGES if MILVUS_URI in named else named


def _placeholders_of(container: dict[str, Any]) -> list[str]:
    return PLACEHOLDER.findall(" ".join(words(container)))


def _placeholders(pod: Pod, container: dict[str, Any]) -> Iterator[Finding]:
    for name in _placeholders_of(container):
        if name not in environment(container):
            yield Finding(pod.owner, f"{container.get('name')}: $({name}) is no variable of this container")
