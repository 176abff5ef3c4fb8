"""What may be asked, as JSON schemas made from the search request itself."""

from typing import Any

from lookalike.search.query import SearchRequest
from serving.asking import PHOTO, PHOTO_URL
from serving.texts import FILTERS

Schema = dict[str, Any]

CONDITION: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        {"type": "object", "minProperties": 1},
    ]
}
AS_JSON: dict[str, Schema] = {
    FILTERS: {
        "type": "object",
        "additionalProperties": CONDITION,
        "description": "Per field one text or several, one of which must hold, or an object of operators that must all "
        "hold: equals, not_equals, in, not_in, range {from, to}, missing, known, not.",
        "examples": [{"colour": ["red", "blue"], "season": {"missing": True}}],
    },
    "crop": {
        "type": "array",
        "items": {"type": "number", "minimum": 0, "maximum": 1},
        "minItems": 4,
        "maxItems": 4,
        "examples": [[0.1, 0, 0.9, 0.5]],
    },
    PHOTO_URL: {
        "type": "string",
        "format": "uri",
        "description": "Address of the photo, where this server fetches photos; in the photo's place.",
    },
}
AS_TEXT: dict[str, Schema] = {
    FILTERS: {"type": "string", "contentMediaType": "application/json", "examples": ['{"colour": ["red", "blue"]}']},
    "crop": {"type": "string", "examples": ["0.1,0,0.9,0.5"]},
}
"""Where a request is made of texts: in URLs, forms and parameters."""
OF_PHOTOS = ("crop", "narrow", "colour_weight", "category")
"""Fields that go by a photo."""
BY_ONE = [{"required": [name]} for name in (PHOTO, "product_id", PHOTO_URL)]


def json_fields() -> dict[str, Schema]:
    """Every field of a search but the photo, as JSON has it."""
    described = SearchRequest.model_json_schema()["properties"]
    own = {name: _plain(schema) for name, schema in described.items() if name != PHOTO}
    return {name: {**own.get(name, {}), **AS_JSON.get(name, {})} for name in (*own, PHOTO_URL)}


def text_fields() -> dict[str, Schema]:
    """The same as texts."""
    fields = json_fields()
    descriptions = {name: {"description": fields[name]["description"]} for name in AS_TEXT}
    return {name: {**descriptions[name], **AS_TEXT[name]} if name in AS_TEXT else fields[name] for name in fields}


def form() -> Schema:
    """The form of `POST /search`."""
    photo = {"type": "string", "format": "binary", "description": SearchRequest.model_fields[PHOTO].description}
    return {
        "type": "object",
        "properties": {PHOTO: photo, **text_fields()},
        "additionalProperties": False,
        "oneOf": BY_ONE,
    }


def instance() -> Schema:
    """One search of a v1 request."""
    encoded = {"type": "string", "contentEncoding": "base64"}
    image = {"anyOf": [{"type": "object", "properties": {"b64": encoded}, "required": ["b64"]}, encoded]}
    return {
        "type": "object",
        "properties": {"image": {**image, "description": "The encoded photo."}, **json_fields()},
        "additionalProperties": False,
        "oneOf": [{"required": ["image"]}, *BY_ONE[1:]],
    }


def url_parameters(*left_out: str) -> list[Schema]:
    """A search's fields in the URL, and the short way to filter there."""
    fields = {name: dict(schema) for name, schema in text_fields().items() if name not in left_out}
    named = [
        {"name": name, "in": "query", "required": False, "description": schema.pop("description"), "schema": schema}
        for name, schema in fields.items()
    ]
    values = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    short: Schema = {
        "name": "by_field",
        "in": "query",
        "required": False,
        "style": "form",
        "explode": True,
        "description": "Every other name is a field to filter by and may be repeated: colour=red&colour=blue. "
        "Not beside filters.",
        "schema": values,
    }
    return [*named, short]


def _plain(schema: Schema) -> Schema:
    """Without the null that stands for a field that was not given: nobody has to send it."""
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "title", "default", "$ref")}
    given = [one for one in schema.get("anyOf", []) if one.get("type") != "null" and "$ref" not in one]
    default = {} if schema.get("default") is None else {"default": schema["default"]}
    return {**kept, **(given[0] if len(given) == 1 else {}), **default}
