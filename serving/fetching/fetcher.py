"""Fetch a photo from a stranger's address, from public hosts only, within bounds of bytes and time."""

import logging
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import httpcore

from lookalike.deadline import Deadline
from lookalike.errors import ImageError, Overloaded, PhotoTooLarge, QueryError
from serving.fetching.addresses import is_public
from serving.fetching.dialling import Allowed, CheckedBackend, Resolve, system_resolve
from serving.fetching.locations import Location, read_location, redirected
from serving.fetching.settings import FetchSettings

logger = logging.getLogger(__name__)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS: tuple[tuple[str, str], ...] = (
    ("Accept", "image/jpeg, image/png, image/webp, image/*;q=0.5"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "lookalike"),
)
FAILED = "the photo could not be fetched from its address"
LATE = "the photo could not be fetched from its address in time"


class Fetcher:
    """Called with an address and a deadline, it gives the bytes found there; what they are, the decoder decides.

    No proxy, no environment, no cookies, no credentials, no cache. May be called from several threads.
    Raises QueryError for an address that says something unaccepted, ImageError where nothing can be fetched, and
    Overloaded when enough fetches are under way; none says more than the address itself did.
    """

    def __init__(
        self,
        settings: FetchSettings,
        resolve: Resolve = system_resolve,
        allowed: Allowed = is_public,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._allowed = allowed
        self._trusted = trusted or ssl.create_default_context()
        self._places = threading.BoundedSemaphore(settings.at_once)
        self._resolvers = ThreadPoolExecutor(2 * settings.at_once, thread_name_prefix="resolve")

    def __call__(self, url: str, deadline: Deadline) -> bytes:
        location = read_location(url, self._settings)
        if not self._places.acquire(blocking=False):
            raise Overloaded("enough photos are being fetched from addresses; send the photo itself", 1.0)
        try:
            return self._fetch(location, deadline.tightened(self._settings.seconds))
        except httpcore.TimeoutException as error:
            raise ImageError(LATE) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError, ValueError) as error:
            logger.info("fetching from %s failed: %s", location.host, type(error).__name__)
            raise ImageError(FAILED) from error
        finally:
            self._places.release()

    def close(self) -> None:
        """Forget about names that are still being resolved."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, location: Location, deadline: Deadline) -> bytes:
        for _ in range(self._settings.redirects + 1):
            answer = self._get(location, deadline)
            if isinstance(answer, bytes):
                return answer
            location = redirected(location, answer, self._settings)
        raise QueryError(f"the photo's address redirects more than {self._settings.redirects} times")

    def _get(self, location: Location, deadline: Deadline) -> bytes | str:
        """The body, or where a redirect leads."""
        backend = CheckedBackend(self._resolve, self._allowed, self._resolvers, deadline)
        with (
            httpcore.ConnectionPool(ssl_context=self._trusted, network_backend=backend) as pool,
            pool.stream("GET", location.url, headers=HEADERS) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in headers:
                return headers[b"location"].decode("ascii", errors="replace")
            if response.status != 200:
                raise ImageError(f"the photo's address answers with status {response.status}")
            return self._body(response, headers.get(b"content-length", b""))

    def _body(self, response: httpcore.Response, promised: bytes) -> bytes:
        most, body = self._settings.bytes, bytearray()
        if promised.isdigit() and int(promised[:20]) > most:
            raise PhotoTooLarge(f"the photo at the address has {int(promised[:20])} bytes; at most {most} are fetched")
        for part in response.iter_stream():
            body += part
            if len(body) > most:
                raise PhotoTooLarge(
                    f"the photo at the address has more than {most} bytes, which is all that is fetched"
                )
        return bytes(body)
