"""Where the next page begins: a text that holds for one release and one query, and needs no memory here."""

import base64
import json

from lookalike.errors import QueryError
from lookalike.search.query import SearchRequest
from lookalike.storage import digest_bytes, digest_json

RELEASE_LETTERS = 12
"""As many of a release's letters as its name has in messages."""


def cursor_at(offset: int, release_id: str, request: SearchRequest) -> str:
    """The cursor of the page that begins after `offset` answers."""
    place = [release_id[:RELEASE_LETTERS], _query_digest(request), offset]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def offset_of(request: SearchRequest, release_id: str) -> int:
    """How many answers earlier pages gave; 0 without a cursor.

    Raises QueryError for a cursor of another release or query, or that no answer of ours gave.
    """
    if request.cursor is None:
        return 0
    release, query, offset = _read(request.cursor)
    if release != release_id[:RELEASE_LETTERS]:
        raise QueryError(
            f"the cursor belongs to release {release}, the release in service is {release_id[:RELEASE_LETTERS]}; "
            "ask for the first page again"
        )
    if query != _query_digest(request):
        raise QueryError("the cursor belongs to another query; a next page is asked for exactly as the first was")
    return offset


def _read(cursor: str) -> tuple[str, str, int]:
    try:
        release, query, offset = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if isinstance(release, str) and isinstance(query, str) and type(offset) is int and offset > 0:
            return release, query, offset
    except (ValueError, TypeError):
        pass
    raise QueryError(f"cursor is {cursor[:40]!r}; the next_cursor of an earlier answer is accepted")


def _query_digest(request: SearchRequest) -> str:
    """Everything that orders the answers, and k, by which pages are cut."""
    asked = request.model_dump(exclude={"photo", "cursor", "filters"})
    photo = digest_bytes(request.photo) if request.photo is not None else None
    return digest_json({**asked, "photo": photo, "filters": repr(request.filters)})[:16]
