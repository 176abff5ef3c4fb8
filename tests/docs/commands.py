"""Command lines on the pages: `lookalike`, `python -m` and `make`, held to the parsers that would read them."""

import contextlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from app.cli import app
from tests.docs.code import options_in
from tests.docs.foreign import FOREIGN
from tests.docs.pages import ROOT, Page
from tests.docs.settings import wrong_overrides

ENDS = {"&&", "||", ";", "|", ">", ">>", "<", "&"}
SHELLS = {"sh", "bash", ""}
GAPS = ("...", "…")
VARIABLE = re.compile(r"[A-Z][A-Z_]*=")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


@cache
def root() -> TyperGroup:
    """The command line."""
    made: Any = get_command(app)
    return made


def command_findings(page: Page) -> Iterator[str]:
    """What is wrong with the page's commands; those in shell blocks have to be whole, inline ones may be parts."""
    for language, text in page.blocks:
        if language in SHELLS:
            for line in _lines(text):
                yield from _findings(line, whole=True)
    for code in page.inline:
        for line in _split(_words(code)):
            yield from _findings(line, whole=False)


def _findings(line: list[str], whole: bool) -> Iterator[str]:
    program = line[0].rpartition("/")[2]
    if program == "lookalike":
        yield from _of_ours(line[1:], whole)
    elif program == "make":
        yield from _of_make(line[1:])
    elif program.startswith("python") and line[1:2] == ["-m"] and len(line) > 2:
        yield from _of_module(line[2], line[3:])
    elif not whole and _is_verb(line):
        yield from _of_ours(line, whole)
    elif not whole and program.startswith("--"):
        option = program.partition("=")[0]
        if option not in every_option() | set(FOREIGN):
            yield f"`{option}` is no option of any verb or module"


def _is_verb(line: list[str]) -> bool:
    """`mine --vectors`, `keys new`: verbs without `lookalike` before them."""
    command = root().commands.get(line[0])
    parts = line[1:2]
    if isinstance(command, TyperGroup) and parts and parts[0] in command.commands:
        return True
    return command is not None and any(part.startswith("--") for part in line)


def _of_ours(words: list[str], whole: bool) -> Iterator[str]:
    command: Any = root()
    rest = list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-") and rest[0] not in GAPS:
        if rest[0] not in command.commands:
            yield f"`lookalike {' '.join(words)}`: there is no verb {rest[0]!r}"
            return
        command = command.commands[rest.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in rest:
        option = word.partition("=")[0]
        if re.match(r"--?[a-z]", word) and option not in known | {"--help"}:
            yield f"`lookalike {' '.join(words)}`: there is no option {option}"
            return
    values = [value for option, value in pairwise(rest) if option == "--set"]
    yield from (f"`lookalike {' '.join(words)}`: {wrong}" for wrong in wrong_overrides("".join(words[:1]), values))
    if whole and not any(gap in word for word in rest for gap in GAPS):
        yield from _of_parser(command, words, rest)


def _of_parser(command: Any, words: list[str], rest: list[str]) -> Iterator[str]:
    try:
        command.make_context(command.name, list(rest))
    except TyperException as error:
        if "does not exist" not in error.format_message():  # a file of the reader's
            yield f"`lookalike {' '.join(words)}`: {error.format_message()}"
    except typer.Exit:  # --help, or a group that was given no verb
        return


def _of_make(words: list[str]) -> Iterator[str]:
    targets = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
    for target in targets[:1]:
        if target not in TARGETS:
            yield f"`make {target}`: there is no such target"
    for word in words:
        if VARIABLE.match(word) and f"$({word.partition('=')[0]})" not in MAKEFILE:
            yield f"`make {' '.join(words)}`: the Makefile does not read {word.partition('=')[0]}"


def _of_module(module: str, words: list[str]) -> Iterator[str]:
    found = None
    with contextlib.suppress(ModuleNotFoundError):
        found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        yield f"`python -m {module}`: there is no such module"
        return
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        if ROOT in Path(found.origin).parents and option not in options_in(Path(found.origin).parent):
            yield f"`python -m {module}`: there is no option {option}"


@cache
def every_option() -> frozenset[str]:
    """Of all verbs and of every module that may be run."""
    found: set[str] = set()
    left: list[Any] = [root()]
    while left:
        command = left.pop()
        found |= {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        left += getattr(command, "commands", {}).values()
    for room in ("app", "benchmarks", "serving", "tests", "lookalike", "pipelines"):
        found |= options_in(ROOT / room)
    return frozenset(found)


def _lines(block: str) -> Iterator[list[str]]:
    """The commands of a block one by one; a quoted text may go over several lines."""
    held = ""
    for line in block.replace("\\\n", " ").splitlines():
        held = f"{held}\n{line}" if held else line
        try:
            words = shlex.split(held, comments=True)
        except ValueError:
            continue
        held = ""
        yield from _split(words)


def _words(code: str) -> list[str]:
    try:
        return shlex.split(code)
    except ValueError:
        return code.split()


def _split(words: list[str]) -> Iterator[list[str]]:
    """Commands between `&&` and the like, without variables set before them and what redirects."""
    line: list[str] = []
    for word in [*words, ";"]:
        if word in ENDS or re.match(r"\d?>", word):
            yield from ([line] if line else [])
            line = []
        elif line or not VARIABLE.match(word):
            line.append(word)
