"""Where the next page begins: a text that holds for one release, one query and the answers given so far.

Nothing is remembered here. The next page reads the order from its beginning anyway, so the cursor only has to prove
that this is still the order of the pages before: whatever was stored or removed since, no answer is repeated or left
out in silence.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.errors import QueryError
from lookalike.search.query import SearchRequest
from lookalike.storage import digest_bytes, digest_json

RELEASE_LETTERS = 12
"""As many of a release's letters as its name has in messages."""
DIGEST_LETTERS = 16


@dataclass(frozen=True)
class Bookmark:
    """How far earlier pages went."""

    offset: int
    """Answers they gave."""
    told: str
    """Digest of what those were, see `digest_told`."""

    def require(self, told: Sequence[str]) -> None:
        """Raise QueryError unless the first answers, by what they are grouped by, still are those of earlier pages."""
        if digest_told(told) != self.told:
            raise QueryError(
                "the catalogue was updated since the page before, and answers it gave have changed; "
                "ask for the first page again"
            )


def digest_told(told: Sequence[str]) -> str:
    """What a bookmark keeps of the answers so far."""
    return digest_json(list(told))[:DIGEST_LETTERS]


START = Bookmark(0, digest_told([]))


def cursor_at(bookmark: Bookmark, release_id: str, request: SearchRequest) -> str:
    """The cursor of the page that begins after the bookmark."""
    place = [release_id[:RELEASE_LETTERS], _query_digest(request), bookmark.offset, bookmark.told]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def bookmark_of(request: SearchRequest, release_id: str) -> Bookmark:
    """Where a request goes on; START without a cursor.

    Raises QueryError for a cursor of another release or query, or that no answer of ours gave.
    """
    if request.cursor is None:
        return START
    release, query, bookmark = _read(request.cursor)
    if release != release_id[:RELEASE_LETTERS]:
        raise QueryError(
            f"the cursor belongs to release {release}, the release in service is {release_id[:RELEASE_LETTERS]}; "
            "ask for the first page again"
        )
    if query != _query_digest(request):
        raise QueryError("the cursor belongs to another query; a next page is asked for exactly as the first was")
    return bookmark


def release_letters(cursor: str) -> str:
    """The first letters of the release whose answer the cursor is from. Raises QueryError for no cursor of ours."""
    return _read(cursor)[0]


def _read(cursor: str) -> tuple[str, str, Bookmark]:
    try:
        release, query, offset, told = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        texts = all(isinstance(text, str) for text in (release, query, told))
        if texts and type(offset) is int and offset > 0:
            return release, query, Bookmark(offset, told)
    except (ValueError, TypeError):
        pass
    raise QueryError(f"cursor is {cursor[:40]!r}; the next_cursor of an earlier answer is accepted")


def _query_digest(request: SearchRequest) -> str:
    """Everything that orders the answers, and k, by which pages are cut."""
    asked = request.model_dump(exclude={"photo", "cursor", "filters", "explain"})
    photo = digest_bytes(request.photo) if request.photo is not None else None
    return digest_json({**asked, "photo": photo, "filters": repr(request.filters)})[:DIGEST_LETTERS]
