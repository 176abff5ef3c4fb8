"""What became of an answer: clicks and purchases, posted by whoever showed it."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field, ValidationError

from lookalike.client.answers import Told
from lookalike.config import StrictConfig
from lookalike.errors import QueryError
from lookalike.feedback.events import Feedback, Kind
from lookalike.index.checks import LONGEST_TEXT
from lookalike.search.query import MOST_ANSWERS
from lookalike.storage import digest_bytes
from serving.access.control import caller
from serving.feedback_log import FeedbackLog
from serving.json_answer import JsonAnswer
from serving.openapi.responses import failures, told

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Event(StrictConfig):
    """One click or purchase."""

    request_id: Text
    """X-Request-ID of the answer; with `/<place>` behind it where the request asked several things."""
    product_id: Text
    """The product clicked or bought."""
    position: int = Field(ge=0, lt=MOST_ANSWERS)
    """Its place in the answer, from 0."""
    kind: Kind
    """`click`, or `purchase`."""
    time: datetime | None = None
    """When it happened, with a time zone, where that is not now."""
    session: Text | None = None
    """What the caller calls the shopper; only a digest of it is kept. Feedback without one counts as its caller's."""


class Events(StrictConfig):
    """What is posted."""

    events: tuple[Event, ...] = Field(min_length=1)
    """Clicks and purchases, in any order."""


class Accepted(Told):
    """How much was taken in."""

    accepted: int
    """Events that will be looked at; whether the answer they name is known is found out when they are joined to it."""


def feedback_routes(log: FeedbackLog | None) -> APIRouter:
    """`POST /feedback`; without a log it answers 501."""
    router = APIRouter(tags=["Feedback"])

    @router.post(
        "/feedback",
        operation_id="feedback",
        responses=told(Accepted, "They are taken in.") | failures(400, 413, 501),
        openapi_extra=_posted(),
    )
    async def feedback(request: Request) -> JsonAnswer:
        """Say which answers were clicked or bought, so that the next model learns from it."""
        if log is None:
            raise NotImplementedError("this server keeps no feedback")
        body = await request.body()
        if len(body) > log.settings.request_bytes:
            sentence = f"the feedback has {len(body)} bytes; at most {log.settings.request_bytes} are accepted"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
        events = read_events(body, log.settings.most_events)
        log.add([_feedback(event, log.now(), caller.get()) for event in events])
        return JsonAnswer({"accepted": len(events)})

    return router


def read_events(body: bytes, most: int) -> tuple[Event, ...]:
    """The events of a body. Raises QueryError naming what is wrong and never repeating it."""
    try:
        events = Events.model_validate_json(body).events
    except ValidationError as error:
        wrong = {".".join(map(str, problem["loc"])): problem["msg"] for problem in error.errors(include_url=False)}
        told_of = "; ".join(f"{place or 'the body'}: {message}" for place, message in list(wrong.items())[:5])
        raise QueryError(f"the feedback cannot be read: {told_of[:500]}") from error
    if len(events) > most:
        raise QueryError(f"the feedback has {len(events)} events; at most {most} are accepted in one request")
    naive = [place for place, event in enumerate(events) if event.time is not None and event.time.tzinfo is None]
    if naive:
        raise QueryError(f"events.{naive[0]}.time has no time zone; send it as 2026-11-21T12:00:00Z")
    return events


def _feedback(event: Event, received: datetime, named: str | None) -> Feedback:
    session = None if event.session is None else digest_bytes(event.session.encode())[:32]
    return Feedback(
        received, event.time, event.request_id, event.product_id, event.position, event.kind, named, session
    )


def _posted() -> dict[str, Any]:
    """The body's schema in one piece: a path of the document cannot hold definitions of its own."""
    schema = Events.model_json_schema()
    schema["properties"]["events"]["items"] = schema.pop("$defs")["Event"]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
