"""The OpenAPI document: every route, every field of an answer, every way to fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.openapi import kserve
from serving.request_id import ACCEPTED_ID

ABOUT = """Visual product search: send a photo or a product, get the products that look like it.

Every answer names the release that gave it, and its X-Request-ID header the request.
Errors are `{"error": "<sentence>"}`; 429 and 503 say when to try again.
KServe's v1 and v2 protocols ask the same search, the v2 protocol over gRPC too."""
SECURITY = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
"""Where the server asks for keys."""
TIMEOUT, REQUEST_ID = "X-Request-Timeout-Ms", "X-Request-ID"
PARAMETERS = {
    TIMEOUT: {
        "name": TIMEOUT,
        "in": "header",
        "required": False,
        "description": "How long the caller waits; what cannot be answered by then is refused.",
        "schema": {"type": "integer", "minimum": 1},
    },
    REQUEST_ID: {
        "name": REQUEST_ID,
        "in": "header",
        "required": False,
        "description": f"The caller's id of this request, {ACCEPTED_ID}, which its answer and the log repeat; another "
        "text is replaced.",
        "schema": {"type": "string"},
    },
}
HEADERS = {
    REQUEST_ID: {
        "description": "The request's id: the caller's own, or a new one.",
        "schema": {"type": "string", "pattern": f"^{ACCEPTED_ID}$"},
    }
}
OPEN = ("/metrics", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready")
FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
"""What FastAPI says of wrong requests; here they are 400 with a sentence."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application's routes."""
    document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    for method, path, operation in _operations(document):
        operation["responses"].pop("422", None)
        if path.startswith(("/v1", "/v2")):
            kserve.describe(method, path, operation)
        if path not in OPEN:
            operation["security"] = [{}, *({name: []} for name in SECURITY)]
        known = (REQUEST_ID,) if path in OPEN else (TIMEOUT, REQUEST_ID)
        operation.setdefault("parameters", []).extend({"$ref": f"#/components/parameters/{name}"} for name in known)
        operation["responses"]["200"]["headers"] = {REQUEST_ID: {"$ref": f"#/components/headers/{REQUEST_ID}"}}
    schemas = {**document["components"]["schemas"], **kserve.schemas()}
    kept = {name: schemas[name] for name in sorted(schemas) if name not in FASTAPI_ERRORS}
    document["components"] = {
        "schemas": kept,
        "parameters": PARAMETERS,
        "headers": HEADERS,
        "securitySchemes": SECURITY,
    }
    return document


def write_document(document: dict[str, Any], path: Path) -> bool:
    """Write it with one key a line, so that changes can be read; whether the file changed."""
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation
