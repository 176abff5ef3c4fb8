"""Which request this is, for whoever answers it: the X-Request-ID that the answer carries."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("X-Request-ID of the request being answered", default=None)
"""Every request is a task with a context of its own; the thread that searches for it sees the same. None over gRPC."""


def answer_id(place: int, count: int) -> str | None:
    """What feedback names an answer by: the request's id, with `/<place>` where the request asked several things."""
    known = request_id.get()
    return known if known is None or count == 1 else f"{known}/{place}"
