"""Every REST request gets its deadline when its head arrives, and ends with its caller's patience."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.deadline import Deadline
from lookalike.errors import DeadlineExceeded, LookalikeError, Overloaded, QueryError
from serving.failures import failure
from serving.overload import SearchQueue

TIMEOUT = "x-request-timeout-ms"
WITH_A_BODY = ("POST", "PUT", "PATCH")


class Patience:
    """ASGI middleware; only what counts requests and knows callers stands before it, since refusing has to cost little.

    A request with a body is refused before its body is read. When the client goes away, the request's deadline is
    abandoned and its task cancelled; work in a thread stops at its next step.
    """

    def __init__(self, app: ASGIApp, queue: SearchQueue) -> None:
        self._app = app
        self._queue = queue
        self._settings = queue.settings
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            deadline = caller_deadline(Headers(scope=scope).get(TIMEOUT), self._settings.answer_seconds)
            self._take_in(scope["method"], deadline)
        except LookalikeError as error:
            told = failure(error)
            await JSONResponse({"error": told.sentence}, told.http, told.headers)(scope, receive, send)
            return
        self._open += 1
        try:
            with deadline.in_force():
                await _while_awaited(self._app, scope, receive, send, deadline)
        finally:
            self._open -= 1

    def _take_in(self, method: str, deadline: Deadline) -> None:
        if method not in WITH_A_BODY:  # cheap to read; those that search meet the queue later
            return
        if self._open >= self._settings.most_open:
            raise Overloaded(f"{self._open} requests are open, which is all this server takes; try again", 1.0)
        self._queue.refuse_late(deadline)


def caller_deadline(milliseconds: str | None, longest: float) -> Deadline:
    """What the header asks for, at most `longest` seconds. Raises QueryError for what is no whole number."""
    if milliseconds is None:
        return Deadline.after(longest)
    if not (milliseconds.isascii() and milliseconds.isdecimal()):
        raise QueryError(f"{TIMEOUT} is {milliseconds[:20]!r}; whole milliseconds are accepted")
    return Deadline.after(min(int(milliseconds[:12]) / 1000, longest))


async def _while_awaited(app: ASGIApp, scope: Scope, receive: Receive, send: Send, deadline: Deadline) -> None:
    """Run the application until it ends or its client goes away."""
    arriving = Arriving(receive, scope["method"] in WITH_A_BODY)
    work = asyncio.ensure_future(app(scope, arriving, send))
    gone = asyncio.ensure_future(arriving.gone())
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            deadline.abandon()
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait((work,))
    if not work.cancelled():
        await work  # raises what it raised


class Arriving:
    """The application's `receive`, which knows when the request is there as a whole."""

    def __init__(self, receive: Receive, with_a_body: bool) -> None:
        self._receive: Callable[[], Awaitable[Message]] = receive
        self._complete = asyncio.Event()
        self._kept: Message | None = None
        if not with_a_body:
            self._complete.set()

    async def __call__(self) -> Message:
        if self._kept is not None:
            message, self._kept = self._kept, None
            return message
        message = await self._in_time()
        if not message.get("more_body", False):
            self._complete.set()
        return message

    async def _in_time(self) -> Message:
        """A body that trickles in ends with the request's deadline."""
        seconds = Deadline.current().remaining()
        try:
            async with asyncio.timeout(seconds):
                return await self._receive()
        except TimeoutError as error:
            raise DeadlineExceeded("the request was not here as a whole within its time") from error

    async def gone(self) -> None:
        """Returns once the client has gone; while a body arrives, the application finds out by itself."""
        await self._complete.wait()
        while (message := await self._receive())["type"] != "http.disconnect":
            self._kept = message
