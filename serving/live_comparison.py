"""Champion and challenger compared while they answer, and whether the challenger must go: pure functions over what was
observed, to be asked after every answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.evaluation.sequential import Stream
from serving.canary import Arm


class LiveGuardrails(StrictConfig):
    """How much worse than the champion's the challenger's answers may be."""

    confidence: float = Field(default=0.99, gt=0.5, lt=1)
    """Probability that a challenger that is no worse is never rolled back, however long it is watched."""
    errors: float = Field(default=0.005, ge=0, le=1)
    """Further share of requests that may fail."""
    empty: float = Field(default=0.01, ge=0, le=1)
    """Further share of answers that may be empty."""
    late: float = Field(default=0.02, ge=0, le=1)
    """Further share of answers that may take longer than `late_ms`."""
    late_ms: float = Field(default=200.0, gt=0)
    """When an answer is late."""
    similarity: float = Field(default=0.05, ge=0, le=2)
    """How much lower the mean top-1 cosine may be. Another model's cosines have another scale: compare them where the
    release's own references were of the same height, else set 2."""


@dataclass(frozen=True)
class Observed:
    """One request, as it ended."""

    failed: bool
    latency_ms: float
    hits: int = 0
    top1_score: float | None = None
    """Cosine of the first answer; None for an empty one."""


MEASURES = ("errors", "empty", "late", "similarity")
Streams = Mapping[str, Stream]


@dataclass(frozen=True)
class Comparison:
    """Both arms so far."""

    champion: Streams = field(default_factory=dict)
    challenger: Streams = field(default_factory=dict)

    def after(self, arm: Arm, observed: Observed, rails: LiveGuardrails) -> "Comparison":
        """With one more request."""
        streams = dict(self.champion if arm == "champion" else self.challenger)
        for name, value in _values(observed, rails).items():
            streams[name] = streams.get(name, Stream()).seen(value, level(rails))
        own = {arm: streams}
        return Comparison(own.get("champion", self.champion), own.get("challenger", self.challenger))


@dataclass(frozen=True)
class Rollback:
    """Whether the challenger goes, and why."""

    roll_back: bool
    reasons: tuple[str, ...]


def judge_live(comparison: Comparison, rails: LiveGuardrails) -> Rollback:
    """Roll back once the challenger is worse by more than a guardrail, beyond what chance does at any moment.

    It may be asked as often as one likes: the intervals hold at all moments together (see `sequential`).
    """
    reasons = []
    for name in MEASURES:
        ours, theirs = (streams.get(name, Stream()) for streams in (comparison.challenger, comparison.champion))
        (our_low, our_high), (their_low, their_high) = ours.interval(level(rails)), theirs.interval(level(rails))
        surely = their_low - our_high if name == "similarity" else our_low - their_high
        tolerated = getattr(rails, name) / (2 if name == "similarity" else 1)  # cosines are kept as (1 + cosine) / 2
        if surely > tolerated:
            reasons.append(_reason(name, ours, theirs, rails))
    return Rollback(bool(reasons), tuple(reasons))


def level(rails: LiveGuardrails) -> float:
    """Chance that one stream's interval ever misses: shared out among the measures of both arms."""
    return (1 - rails.confidence) / (2 * len(MEASURES))


def _values(observed: Observed, rails: LiveGuardrails) -> dict[str, float]:
    """In [0, 1]; a failed request has nothing else to tell."""
    if observed.failed:
        return {"errors": 1.0}
    values = {"errors": 0.0, "empty": float(observed.hits == 0), "late": float(observed.latency_ms > rails.late_ms)}
    return values if observed.top1_score is None else {**values, "similarity": (1 + observed.top1_score) / 2}


def _reason(name: str, ours: Stream, theirs: Stream, rails: LiveGuardrails) -> str:
    words = {
        "errors": "share of failed requests",
        "empty": "share of empty answers",
        "late": f"share of answers later than {rails.late_ms:g} ms",
        "similarity": "mean top-1 cosine",
    }
    means = [stream.mean if stream.mean is not None else float("nan") for stream in (ours, theirs)]
    shown = [2 * mean - 1 for mean in means] if name == "similarity" else means
    return (
        f"{words[name]} is {shown[0]:.3f} over {ours.count} requests against the champion's {shown[1]:.3f} over "
        f"{theirs.count}; {getattr(rails, name):g} worse is tolerated"
    )
