"""What a search server needs to know; everything else comes with the release it serves."""

from pathlib import Path
from typing import Any

from pydantic import Field

from lookalike.config import StrictConfig, parse_config
from lookalike.feedback.events import FeedbackSettings
from lookalike.search.engine import SearchLimits
from lookalike.search.query_log_keeping import QueryLogSettings
from lookalike.workspace import Workspace
from serving.access.control import AccessSettings
from serving.fetching.settings import FetchSettings
from serving.logs import LogFormat
from serving.overload import OverloadSettings
from serving.photos.settings import PhotoSettings
from serving.traces import TraceSettings
from serving.trial_settings import TrialSettings
from serving.triton.supervisor import SupervisionSettings


class ServingSettings(StrictConfig):
    """Settings of one search server; the defaults are those of a laptop."""

    releases: Path
    """Folder with the releases and `live.json`, the one switch."""
    model_repository: Path
    """Folder with Triton's models; holds `model.json` and `golden.json` of each."""
    trusted_keys: str | None = None
    """`file:PATH` or `env:NAME` with the keys whose releases are loaded, as `lookalike keys signing` writes them;
    without, signatures are not looked at. Read anew for each release."""
    triton_url: str | None = None
    """Triton's gRPC address as host:port; without one the model runs in this process with onnxruntime."""
    triton_http: str | None = None
    """Triton's HTTP address as host:port, to load a new release's model; without one, somebody else loads it."""
    supervision: SupervisionSettings = SupervisionSettings()
    """How the model in Triton is watched and healed."""
    milvus_uri: str
    """A Milvus Lite file, http://host:port of a Milvus server, or faiss:///folder to search in this process."""
    milvus_token: str | None = Field(default=None, repr=False)
    """`user:password` or an API key, where Milvus asks for one; `lookalike serve` takes it from MILVUS_TOKEN."""
    feature_store: Path
    """Feast's repository: the folder with feature_store.yaml."""
    query_log: Path | None = None
    """Folder for the query log; without one nothing is logged and drift cannot be watched."""
    feedback: Path | None = None
    """Folder for clicks and purchases; without one none are taken in."""
    feedback_log: FeedbackSettings = FeedbackSettings()
    """How they are kept."""
    trials: TrialSettings = TrialSettings()
    """How releases are tried on live traffic."""
    watched: Path | None = None
    """The watch's figures (`drift.prom`), to be served with the server's own metrics."""
    model_name: str = "lookalike"
    """Name in the URLs: /v1/models/<name>:predict."""
    host: str = "127.0.0.1"
    """Address to listen on; loopback unless you say otherwise, such as 0.0.0.0 inside a container."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """REST port; 0 takes a free one."""
    grpc_port: int = Field(default=8081, ge=0, le=65535)
    """gRPC port; 0 takes a free one."""
    access: AccessSettings = AccessSettings()
    """Who may search, and how often."""
    fetching: FetchSettings = FetchSettings()
    """Whether photos are fetched from addresses that callers send."""
    processes: int = Field(default=0, ge=0)
    """Processes that search beside the one with the ports, each with the model and its index in memory; one per core
    answers the most. With 0 this process searches in threads, of which Python runs one at a time."""
    overload: OverloadSettings = OverloadSettings()
    """How much is taken in at once, and how long anybody waits."""
    most_instances: int = Field(default=16, ge=1)
    """Photos in one request."""
    request_bytes: int = Field(default=32_000_000, ge=1024)
    """Largest request; base64 adds a third to a photo."""
    wait_for_release: bool = False
    """Start without a release and become ready with the first one, instead of refusing to start."""
    poll_seconds: float = Field(default=1.0, gt=0)
    """How often `live.json` is looked at."""
    retry_seconds: float = Field(default=30.0, gt=0)
    """How long to wait before a release that could not be loaded is tried again."""
    grace_seconds: int = Field(default=20, ge=0)
    """How long requests under way may take after SIGTERM; Kubernetes kills after 30."""
    photos: PhotoSettings = PhotoSettings()
    """Where people see the photos of answers."""
    log: QueryLogSettings = QueryLogSettings()
    """What of the queries is logged, and for how long."""
    traces: TraceSettings = TraceSettings()
    """Where traces go."""
    log_format: LogFormat = "text"
    """Lines for people, or JSON objects for a log store."""
    limits: SearchLimits = SearchLimits()
    """What one answer may cost."""

    @classmethod
    def of_workspace(cls, shop: Workspace, milvus_uri: str, **chosen: Any) -> "ServingSettings":
        """Settings for a shop's workspace, photos included; `chosen` are further fields by name. Raises ConfigError."""
        photos = chosen.pop("photos", {})
        places: dict[str, Any] = {
            "releases": shop.releases,
            "model_repository": shop.model_repository,
            "feature_store": shop.feature_store,
            "query_log": shop.query_log,
            "feedback": shop.feedback,
            "watched": shop.watch_gauges,
            "photos": photos if "url" in photos else {"catalogue": shop.root, **photos},
        }
        return parse_config(cls, {**places, "milvus_uri": milvus_uri, **chosen}, "the service's settings")
