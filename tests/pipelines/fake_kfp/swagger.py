"""Requests and answers held to the API's own description, made strict: a field it does not know is an error."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator


class Refused(Exception):
    """The request is answered with an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Operation:
    """One method on one path."""

    name: str
    described: Mapping[str, Any]
    path: Mapping[str, str]
    """Values of the path's parameters."""


class Swagger:
    """The description of an API in Swagger 2.0."""

    def __init__(self, file: Path) -> None:
        description = json.loads(file.read_text(encoding="utf-8"))
        self.definitions = {name: _strict(schema) for name, schema in description["definitions"].items()}
        literal_first = sorted(description["paths"].items(), key=lambda item: (item[0].count("{"), item[0]))
        self.paths = [(_pattern(path), methods) for path, methods in literal_first]

    def operation(self, method: str, path: str) -> Operation:
        """What a request asks for. Raises Refused for a path or method the API does not have."""
        for pattern, methods in self.paths:
            found = pattern.fullmatch(path)
            if found and method.lower() in methods:
                described = methods[method.lower()]
                return Operation(described["operationId"], described, found.groupdict())
        raise Refused(404, f"the API has no {method} {path}")

    def check_request(self, operation: Operation, query: Mapping[str, str], body: Any) -> None:
        """Raise Refused for a query parameter or a body the operation does not describe."""
        parameters = operation.described.get("parameters", [])
        unknown = set(query) - {one["name"] for one in parameters if one["in"] == "query"}
        if unknown:
            raise Refused(400, f"{operation.name} takes no {sorted(unknown)} in the query")
        for one in parameters:
            if one["in"] == "body":
                self._check(one["schema"], body, 400, f"the body of {operation.name}")

    def check_answer(self, operation: Operation, answer: Any) -> None:
        """Raise Refused with status 500 for an answer of the fake that the API would never give."""
        self._check(operation.described["responses"]["200"]["schema"], answer, 500, f"the answer to {operation.name}")

    def check(self, definition: str, value: Any) -> None:
        """Raise Refused unless the value is what a definition describes."""
        self._check({"$ref": f"#/definitions/{definition}"}, value, 400, definition)

    def _check(self, schema: Mapping[str, Any], value: Any, status: int, what: str) -> None:
        validator = Draft4Validator({**schema, "definitions": self.definitions})
        problem = next(iter(sorted(validator.iter_errors(value), key=str)), None)
        if problem is not None:
            place = ".".join(str(part) for part in problem.absolute_path) or "(whole)"
            raise Refused(status, f"{what} does not fit its description at {place}: {problem.message}")


def _pattern(path: str) -> re.Pattern[str]:
    """`{run_id}` as a named group; a value holds no slash and no colon, which begins a verb."""
    parts = re.split(r"\{([\w.]+)\}", path)
    named = (
        f"(?P<{part.replace('.', '_')}>[^/:]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile("".join(named))


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    if strict.get("format") == "int64":
        strict["type"] = ["string", "integer"]  # protobuf's JSON takes both, and KFP's client sends numbers
    return strict
