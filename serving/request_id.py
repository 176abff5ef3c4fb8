"""Which request this is, for whoever answers it: the X-Request-ID that the answer carries, in gRPC's metadata too."""

import re
from contextvars import ContextVar
from uuid import uuid4

REQUEST_ID = "x-request-id"
ACCEPTED_ID = "[A-Za-z0-9._-]{1,64}"

request_id: ContextVar[str | None] = ContextVar("X-Request-ID of the request being answered", default=None)
"""Every request is a task with a context of its own; the thread that searches for it sees the same."""


def known_request_id(given: str | None) -> str:
    """The caller's where it is one, else a new one."""
    return given if given is not None and re.fullmatch(ACCEPTED_ID, given) else uuid4().hex


def answer_id(place: int, count: int) -> str | None:
    """What feedback names an answer by: the request's id, with `/<place>` where the request asked several things."""
    known = request_id.get()
    return known if known is None or count == 1 else f"{known}/{place}"
