"""The experiment's steps, each resumable: sweep, train, measure, report."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.embedding.arms import ARMS, MAIN, RATES, ROBUST, SWEPT
from benchmarks.embedding.frozen import FrozenEncoder
from benchmarks.embedding.measure import measure as measure_embedder
from benchmarks.embedding.places import Places
from benchmarks.embedding.report import Destination, write_report
from benchmarks.embedding.robustness import UNDAMAGED, decode_queries, robustness
from benchmarks.embedding.run import run_arm
from benchmarks.embedding.schedule import alone, run_all
from benchmarks.embedding.settings import Experiment
from lookalike import stages
from lookalike.embedders.protocol import Embedder
from lookalike.training.embedder import TorchEmbedder

SEARCHED = (MAIN, ROBUST, "frozen")
"""Arms asked to find products from other, damaged photos of theirs."""


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    catalogue: str
    encoders: Path
    places: Places
    settings: Experiment
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    processes: int
    limit: int = 0
    """Most products read; 0 reads them all."""
    destination: Destination = field(default_factory=Destination)
    """Where the report goes."""
    outside: dict[str, Path] = field(default_factory=dict)
    """Checkpoints on budgets of their own by name, measured beside the arms and compared with none."""

    def runs(self) -> list[tuple[str, int]]:
        """(arm, seed), seed by seed, so that a run cut short leaves whole seeds."""
        return [(arm, seed) for seed in self.seeds for arm in ARMS if arm in self.arms]

    def swept(self) -> list[str]:
        """Arms whose learning rate is sought."""
        return [arm for arm in ARMS if arm in self.arms and arm in SWEPT]

    def measurements(self) -> list[tuple[str, int]]:
        """Everything that is measured: untrained backbones, runs, and the checkpoint from outside."""
        return [*((name, 0) for name in (*self.outside, *self.settings.frozen)), *self.runs()]


def sweep(plan: Plan) -> list[str]:
    """Train and measure arms at every learning rate under the first seed. Returns what failed."""
    _prepare(plan)
    tried = [(arm, rate) for arm in plan.swept() for rate in RATES]
    return run_all(partial(_try_one, plan=plan), tried, plan.processes, plan.places.logs)


def _try_one(tried: tuple[str, float], plan: Plan) -> str:
    (arm, rate), seed = tried, plan.seeds[0]
    places = plan.places.at_rate(arm, rate)
    run_arm(replace(ARMS[arm], learning_rate=rate), seed, places, plan.settings, plan.encoders)
    embedder = TorchEmbedder(places.checkpoint(arm, seed))
    record = measure_embedder(places.validated, places.splits, places.pixels, places.measured(arm, seed), embedder)
    return f"{arm} at learning rate {rate:g}: fine precision@4 validation {record.figures['validation']:.3f}"


def train(plan: Plan) -> list[str]:
    """Make every run's checkpoint. Returns what failed."""
    _prepare(plan)
    return run_all(partial(_train_one, plan=plan), plan.runs(), plan.processes, plan.places.logs)


def _prepare(plan: Plan) -> None:
    """Validate and split the catalogue."""
    stages.validate(plan.catalogue, str(plan.places.validated), limit=plan.limit)
    stages.split(str(plan.places.validated), str(plan.places.splits))


def _train_one(run: tuple[str, int], plan: Plan) -> str:
    arm, seed = run
    record = run_arm(ARMS[arm], seed, plan.places, plan.settings, plan.encoders)
    losses = " ".join(f"{name} {record.figures[name]:.3f}" for name in _losses(record.figures))
    return f"{arm} seed {seed}: " + ("kept" if record.reused else f"{record.seconds:.0f} s, {losses}")


def _losses(figures: dict[str, object]) -> Sequence[str]:
    return [name for name in figures if name not in ("fingerprint", "photos", "epoch", "steps")]


def measure(plan: Plan) -> list[str]:
    """Measure every checkpoint and every frozen backbone. Returns what failed."""
    return run_all(partial(_measure_one, plan=plan), plan.measurements(), plan.processes, plan.places.logs)


def report(plan: Plan) -> list[str]:
    """Write figures, tables and plots of whatever is measured. Nothing fails here without an error."""
    write_report(plan.places, plan.measurements(), tuple(plan.outside), plan.destination)
    return []


def _measure_one(run: tuple[str, int], plan: Plan) -> str:
    (arm, seed), places = run, plan.places
    inputs, embedder = (places.validated, places.splits), _embedder(arm, seed, plan)
    record = measure_embedder(*inputs, places.pixels, places.measured(arm, seed), embedder)
    told = f"{arm} seed {seed}: fine precision@4 validation {record.figures['validation']:.3f}"
    if arm in (*SEARCHED, *plan.outside):
        preprocessing = embedder.identity.preprocessing
        queries = places.queries(preprocessing.fingerprint)
        with alone(queries):
            decode_queries(*inputs, queries, preprocessing)
        found = robustness(*inputs, queries, places.pixels, places.robustness(arm, seed), embedder)
        told += f", own product first for {found.figures[UNDAMAGED]:.3f} of undamaged query photos"
    return told


def _embedder(arm: str, seed: int, plan: Plan) -> Embedder:
    if arm in plan.settings.frozen:
        return FrozenEncoder(plan.settings.frozen[arm], plan.encoders)
    return TorchEmbedder(plan.outside.get(arm) or plan.places.checkpoint(arm, seed))
