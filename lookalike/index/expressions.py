"""Attribute filters in Milvus' expression language.

Values come from strangers. Milvus' own templates (`filter_params`) would keep them out of the expression, but
Milvus Lite 3.2 does not read them, so every value is spelled as a JSON string literal: quotes, backslashes and
control characters are escaped the same way in both languages.
"""

import json
from collections.abc import Sequence

from lookalike.index.protocol import Where


def one_of(field: str, values: Sequence[str]) -> str:
    """The expression for "the field holds one of the values"; `field` is a checked identifier."""
    return f"{field} in [{', '.join(_literal(value) for value in values)}]"


def where_expression(where: Where | None) -> str:
    """All conditions together, "" where there are none; the fields were checked against the collection."""
    return " and ".join(one_of(field, values) for field, values in sorted((where or {}).items()))


def _literal(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
