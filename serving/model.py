"""The search as a KServe model: the event loop stays free, all work happens in threads."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from kserve import InferRequest, InferResponse, Model

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable
from lookalike.search.answer import PhotoUrl, SearchAnswer
from lookalike.search.product import ProductAnswer
from lookalike.search.query import SearchRequest
from serving.asking import Fetch, asked
from serving.live import Engine, LiveEngine
from serving.metrics import SearchMetrics
from serving.overload import SearchQueue
from serving.query_log import QueryLog
from serving.request_id import answer_id, request_id
from serving.settings import ServingSettings
from serving.trial import Trials
from serving.unread import Unread
from serving.wire import ANSWER, IMAGE, v1_requests, v1_response, v2_requests, v2_response

Task = TypeVar("Task")
Result = TypeVar("Result")
NO_RELEASE = "no release is in service yet"


class SearchModel(Model):
    """Answers v1 and v2 requests with the live release's engine and logs what was asked."""

    def __init__(
        self,
        settings: ServingSettings,
        live: LiveEngine,
        query_log: QueryLog | None,
        metrics: SearchMetrics,
        photo_url: PhotoUrl,
        fetch: Fetch | None = None,
        trials: Trials | None = None,
    ) -> None:
        """Without `fetch`, a photo's address is refused; without `trials`, nobody but the live release answers."""
        super().__init__(settings.model_name)
        self._photo_url = photo_url
        self._fetch = fetch
        self._trials = trials
        self.live = live
        self._settings = settings
        self._log = query_log
        self._metrics = metrics
        self.queue = SearchQueue(settings.overload)

    @property
    def release_id(self) -> str | None:
        """The release that answers now."""
        return self.live.current.release.release_id if self.live.current else None

    @property
    def degraded(self) -> tuple[str, ...]:
        """Parts of the live release that failed lately; without these, answers are poorer or refused."""
        return self.live.current.degraded() if self.live.current else ()

    @property
    def provider(self) -> str | None:
        """What computes the live release's model, where that is known here."""
        return self.live.current.provider if self.live.current else None

    async def healthy(self) -> bool:
        """Ready as soon as a release was loaded: its model answered the golden vectors, its parts agree."""
        return self.live.current is not None

    def load(self) -> bool:
        """KServe calls this on a model that is not ready; releases are loaded by the watcher alone."""
        return self.live.current is not None

    def start(self) -> None:
        """KServe's default would call the model ready."""

    def stop(self) -> None:
        """Finish the searches under way."""
        self.queue.close()

    def get_input_types(self) -> list[dict[str, Any]]:
        return [{"name": IMAGE, "datatype": "BYTES", "shape": [-1]}]

    def get_output_types(self) -> list[dict[str, Any]]:
        return [{"name": ANSWER, "datatype": "BYTES", "shape": [-1]}]

    async def predict(
        self,
        payload: dict[str, Any] | InferRequest | Unread,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> dict[str, Any] | InferResponse:
        """Answer a v1 or v2 request. Raises LookalikeError."""
        return await self._in_thread(self._respond, payload)

    async def search(self, values: Mapping[str, Any]) -> SearchAnswer:
        """Answer one search, given as `asked` reads it. Raises LookalikeError."""
        return await self._in_thread(lambda one: self._answers([self._ask(one)])[0], values)

    async def product(self, product_id: str) -> ProductAnswer:
        """What the live release knows of a product. Raises LookalikeError."""
        return await self._in_thread(self._product, product_id)

    async def _in_thread(self, work: Callable[[Task], Result], task: Task) -> Result:
        """Keep the event loop free. Raises Overloaded and DeadlineExceeded as the queue does."""
        return await self.queue.run(lambda: work(task))

    def _respond(self, payload: dict[str, Any] | InferRequest | Unread) -> dict[str, Any] | InferResponse:
        if isinstance(payload, Unread):
            payload = payload.read()
        if isinstance(payload, InferRequest):
            return v2_response(payload, self._answers(v2_requests(payload, self._settings.most_instances, self._ask)))
        return v1_response(self._answers(v1_requests(payload, self._settings.most_instances, self._ask)))

    def _ask(self, values: Mapping[str, Any]) -> SearchRequest:
        return asked(values, self._fetch, Deadline.current())

    def _product(self, product_id: str) -> ProductAnswer:
        return self._engine().product(product_id).with_photo_urls(self._photo_url)

    def _answers(self, requests: list[SearchRequest]) -> list[SearchAnswer]:
        """All answers of a request come from one engine, whatever is switched meanwhile."""
        answers = [answer.with_photo_urls(self._photo_url) for answer in self._searched(requests)]
        for place, (request, answer) in enumerate(zip(requests, answers, strict=True)):
            self._metrics.answered(answer)
            if self._log is not None:
                self._log.add(answer, request, answer_id(place, len(answers)))
        return answers

    def _searched(self, requests: list[SearchRequest]) -> list[SearchAnswer]:
        engine = self._engine()
        if self._trials is None:
            return [engine.search(request) for request in requests]
        return self._trials.answers(engine, requests, request_id.get() or uuid4().hex)

    def _engine(self) -> Engine:
        engine = self.live.current
        if engine is None:
            raise BackendUnavailable(NO_RELEASE, told=NO_RELEASE)
        return engine
