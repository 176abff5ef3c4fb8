"""What the drift stage found: the content of `drift.json`."""

from typing import Literal

from lookalike.config import StrictConfig
from monitoring.catalogue import CatalogueChange
from monitoring.sequence import SequenceState
from monitoring.slices import SliceChange
from monitoring.streams import StreamResult

DRIFT = "drift.json"


class DriftResult(StrictConfig):
    """One window of the query log against one release's reference."""

    outcome: Literal["measured", "not enough traffic"]
    """Whether there were rows enough to say anything."""
    drifted: bool
    """Whether the score is above the calibrated threshold; false without a measurement."""
    summary: str
    """The outcome in one sentence."""
    release_id: str
    """Release whose reference and queries were compared."""
    model_fingerprint: str
    """Its model."""
    window: str
    """Digest of the window's rows: the same rows are the same window."""
    first: str | None
    """Time of the window's oldest query, ISO 8601."""
    last: str | None
    """Time of the window's newest query, ISO 8601."""
    measured: str
    """When the comparison was made, ISO 8601."""
    n_reference: int
    """Reference rows compared."""
    n_current: int
    """Window rows compared."""
    excluded: dict[str, int]
    """Rows of the log left out, by reason."""
    alpha: float
    """Stated false-alarm rate."""
    detector: str
    """How the streams were weighed together."""
    reference: str = ""
    """Where the reference's rows come from, in a sentence."""
    score: float | None = None
    """Surprise of the most surprising family of streams, in powers of ten."""
    threshold: float | None = None
    """A score above it is drift."""
    rank: float | None = None
    """Share of windows without drift that score at least this much."""
    false_alarm_rate: float | None = None
    """Share of fresh windows without drift above the threshold, as measured at calibration."""
    false_alarm_interval: tuple[float, float] | None = None
    """95 % interval of that share."""
    families: dict[str, float] = {}
    """Surprise by family: what is asked for, how it is answered, how photos are made."""
    streams: list[StreamResult] = []
    """Every stream, the ones that moved first."""
    slices: list[SliceChange] = []
    """Parts of the traffic, by what they contribute to the shift."""
    sequence: SequenceState | None = None
    """Where the rule over several windows stands; null without a measurement."""
    catalogue: CatalogueChange | None = None
    """What the newest catalogue brings; null where none was looked at."""
    model_age_days: float | None = None
    """Days since the first release of the model in service."""

    @property
    def believed(self) -> bool:
        """Whether the rule over several windows speaks of drift."""
        return self.sequence is not None and self.sequence.fired

    @property
    def moved(self) -> list[str]:
        """What moved, in words."""
        return [stream.words for stream in self.streams if stream.moved]
