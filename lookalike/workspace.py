"""Where a shop's artifacts live: one folder, the same names on a laptop and on a mounted volume."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """Paths under one root, in the order of the flow. Nothing is created here."""

    root: Path

    @property
    def drawn_shop(self) -> Path:
        return self.root / "drawn_shop"

    @property
    def deliveries(self) -> Path:
        """Where deliveries were last seen, a file per digest."""
        return self.root / "deliveries"

    @property
    def validated(self) -> Path:
        return self.root / "validated"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    @property
    def triplets(self) -> Path:
        return self.root / "triplets"

    @property
    def training_state(self) -> Path:
        """Where an interrupted training run picks up again."""
        return self.root / "training_state"

    @property
    def checkpoint(self) -> Path:
        return self.root / "checkpoint"

    @property
    def vectors(self) -> Path:
        """Vectors of the train split under the checkpoint, for hard negatives."""
        return self.root / "vectors"

    @property
    def evaluation(self) -> Path:
        return self.root / "evaluation"

    @property
    def exported(self) -> Path:
        return self.root / "exported"

    @property
    def model_repository(self) -> Path:
        """Triton's models."""
        return self.root / "model_repository"

    @property
    def milvus(self) -> Path:
        """Milvus Lite's data; a server's URI takes its place beyond the laptop."""
        return self.root / "milvus.db"

    def shard(self, shard: str) -> Path:
        """The vectors of one shard of the gallery, for example 2/8."""
        return self.root / "shards" / shard.replace("/", "-of-")

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def index_selection(self) -> Path:
        """The measured ways to search, and the one chosen."""
        return self.root / "index_selection"

    @property
    def feature_store(self) -> Path:
        """Feast's repository: registry, offline files, online store."""
        return self.root / "feature_store"

    @property
    def features(self) -> Path:
        return self.root / "features"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def query_log(self) -> Path:
        return self.root / "query_log"

    @property
    def feedback(self) -> Path:
        """What shoppers clicked and bought, by day."""
        return self.root / "feedback"

    @property
    def collected_feedback(self) -> Path:
        """Clicks for mining and labelled recent traffic for the gate."""
        return self.root / "collected_feedback"

    @property
    def learned_feedback(self) -> Path:
        """Collected feedback that trainings learned from and were judged by, a folder per digest of its content."""
        return self.root / "learned_feedback"

    @property
    def erasures(self) -> Path:
        """Digests of the ids of products that were erased."""
        return self.root / "erasures.json"

    @property
    def watch_history(self) -> Path:
        """What earlier watches saw and started, so that one drift episode starts one run."""
        return self.root / "watch_history.json"

    @property
    def watch_gauges(self) -> Path:
        """The newest watch's figures for Prometheus, in its text format."""
        return self.root / "drift.prom"

    @property
    def pipelines(self) -> Path:
        """Compiled pipelines that watches start, where a cluster's settings are not the shipped ones."""
        return self.root / "pipelines"

    @property
    def pipeline_root(self) -> Path:
        """Artifacts and cache of the local pipeline runner."""
        return self.root / "pipeline_root"

    @property
    def pipeline_runs(self) -> Path:
        """One folder per pipeline run on this machine: what was asked for, what it said, what came of it."""
        return self.root / "pipeline_runs"

    @property
    def notices(self) -> Path:
        """How pipeline runs ended, a file each."""
        return self.root / "notices"

    @property
    def veto(self) -> Path:
        """A text file with which a person holds runs back."""
        return self.root / "veto"

    @property
    def alerts(self) -> Path:
        """Alerts that were delivered, a file each."""
        return self.root / "alerts"

    @property
    def drills(self) -> Path:
        """What drills left, a folder each; nothing in it is the shop's own."""
        return self.root / "drills"

    @property
    def logs(self) -> Path:
        return self.root / "logs"
