"""The search service from Python."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeVar, Unpack
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from lookalike.client.answers import Answer, Product, Ready, Told
from lookalike.client.asking import Photo, PhotoOptions, ProductOptions, as_texts, encoded
from lookalike.client.failures import AGAIN, refusal, retry_after_seconds, silence
from lookalike.errors import BackendUnavailable, QueryError

Shape = TypeVar("Shape", bound=Told)


class SearchClient:
    """Asks one search service; use it in a `with` block or close it. Safe from several threads.

    Every method raises QueryError for a wrong request, NotFound, AccessDenied, Overloaded, BackendUnavailable and
    DeadlineExceeded, with the service's own sentence. Where the service sends a request away for now (429, 503), it
    is asked again when it says so, `tries` times at most and waiting no longer than `longest_wait_seconds` in all.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        timeout_seconds: float = 10.0,
        tries: int = 3,
        longest_wait_seconds: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout_seconds` is how long one try may take; the service is told, and stops when nobody waits."""
        headers = {"X-Request-Timeout-Ms": str(max(1, round(timeout_seconds * 1000)))}
        if api_key is not None:
            headers["X-API-Key"] = api_key
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_seconds, transport=transport)
        self._tries = tries
        self._longest_wait = longest_wait_seconds
        self._sleep = sleep

    def search(
        self, photo: Photo | None = None, *, photo_url: str | None = None, **options: Unpack[PhotoOptions]
    ) -> Answer:
        """The first page of products that look like a photo, or the one that `cursor` names.

        `photo_url` is an address for the service to fetch the photo from, where it does.
        """
        if (photo is None) == (photo_url is None):
            raise QueryError("exactly one of photo and photo_url must be given")
        fields = as_texts({"photo_url": photo_url, **options})
        files = None if photo is None else {"photo": ("photo", encoded(photo), "application/octet-stream")}
        if files is None:
            return self._told(Answer, "POST", "/search", params=fields)
        return self._told(Answer, "POST", "/search", data=fields, files=files)

    def similar(self, product_id: str, **options: Unpack[ProductOptions]) -> Answer:
        """The first page of products that look like one of the catalogue, or the one that `cursor` names."""
        return self._told(Answer, "GET", f"/products/{_path(product_id)}/similar", params=as_texts(options))

    def search_pages(self, photo: Photo, **options: Unpack[PhotoOptions]) -> Iterator[Answer]:
        """Page after page, asked for when it is wanted, until there are no more."""
        content = encoded(photo)
        return _pages(lambda cursor: self.search(content, **{**options, **cursor}))

    def similar_pages(self, product_id: str, **options: Unpack[ProductOptions]) -> Iterator[Answer]:
        """Page after page, asked for when it is wanted, until there are no more."""
        return _pages(lambda cursor: self.similar(product_id, **{**options, **cursor}))

    def product(self, product_id: str) -> Product:
        """A product as the live release has it."""
        return self._told(Product, "GET", f"/products/{_path(product_id)}")

    def photo(self, photo_url: str) -> bytes:
        """The photo at a `photo_url` that the service answered."""
        return self._sent("GET", photo_url).content

    def ready(self) -> Ready:
        """Whether the service can answer, and by which release."""
        response = self._sent("GET", "/health/ready", expected=(HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE))
        return self._read(Ready, response)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "SearchClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _told(self, shape: type[Shape], method: str, path: str, **request: Any) -> Shape:
        return self._read(shape, self._sent(method, path, **request))

    def _read(self, shape: type[Shape], response: httpx.Response) -> Shape:
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise BackendUnavailable(f"{response.request.url} is not a search service: {error}") from error

    def _sent(
        self, method: str, path: str, expected: tuple[HTTPStatus, ...] = (HTTPStatus.OK,), **request: Any
    ) -> httpx.Response:
        """The response of a try that succeeded. Raises what the last one was refused with."""
        left = self._longest_wait
        for tried in range(1, self._tries + 1):
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                raise silence(str(self._http.base_url), error) from error
            if response.status_code in expected:
                return response
            wait = retry_after_seconds(response) or 0.5
            if response.status_code not in AGAIN or tried == self._tries or wait > left:
                raise refusal(response)
            self._sleep(wait)
            left -= wait
        raise QueryError(f"tries is {self._tries}; at least 1 is accepted")


def _path(product_id: str) -> str:
    return quote(product_id, safe="")


def _pages(ask: Callable[[Any], Answer]) -> Iterator[Answer]:
    page = ask({})
    yield page
    while page.next_cursor is not None:
        page = ask({"cursor": page.next_cursor})
        yield page
