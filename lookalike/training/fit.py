"""The training stage: triplets and photos in, a checkpoint out."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.errors import TrainingError
from lookalike.mining.table import TRIPLETS
from lookalike.models.encoder import source_digest
from lookalike.storage import StageRecord, digest_json, private_folder, read_seal, run_stage
from lookalike.training.checkpoint import BACKBONE, RECORD, WEIGHTS, save_checkpoint
from lookalike.training.group import follow, joined, lead_to_learn, tell
from lookalike.training.launch import launch
from lookalike.training.learn import Learnt, TrainingRun, learn
from lookalike.training.loop import SAVE_EVERY_STEPS
from lookalike.training.ranks import Ranks
from lookalike.training.recipe import Recipe
from lookalike.training.shelves import open_shelf
from lookalike.training.state import History
from lookalike.training.state_store import StateStore
from lookalike.training.trained import write_trained

METRICS = "metrics.csv"


def train(
    validated: Path,
    splits: Path,
    triplets: Path,
    output: Path,
    recipe: Recipe,
    resume_at: str | Path | None = None,
    start_from: Path | None = None,
    encoder_folders: Sequence[Path] = (),
    cache_folder: Path | None = None,
    processes: int = 1,
    save_every_steps: int = SAVE_EVERY_STEPS,
) -> StageRecord:
    """Train a recipe and write both encoders' weights, checkpoint.json, trained.parquet and metrics.csv.

    With `resume_at`, a folder or a URL that fsspec knows, an interrupted run, a killed one too, goes on where its
    state was last saved, after an epoch or `save_every_steps` steps, and ends with the numbers an uninterrupted one
    would have had. `start_from` is an earlier checkpoint to go on from. `encoder_folders` are searched for the
    recipe's pretrained encoder. Decoded photos are kept under `cache_folder` for the next run on the same catalogue.
    Several `processes` share every batch and learn what one would, but for rounding; so they do not decide whether
    an output is reused. So do processes that torchrun started, each of which calls this with the same arguments: the
    first one writes, and all return its record. Raises TrainingError.
    """
    inputs = {"validated": validated, "splits": splits, "triplets": triplets}
    inputs |= {} if start_from is None else {"start_from": start_from}
    settings = {
        "recipe": recipe.model_dump(mode="json"),
        "encoder": None if start_from else source_digest(recipe.encoder, encoder_folders),
    }
    ranks, name = _ranks(processes), _run_name(inputs, settings)
    with tempfile.TemporaryDirectory() as scratch, joined(ranks), _photos_folder(name, ranks) as shared:
        kept = resume_at or (scratch if processes > 1 else None)  # launched ones hand their last state over
        run = TrainingRun(
            validated=validated,
            triplets=triplets,
            recipe=recipe,
            start_from=start_from,
            encoder_folders=tuple(encoder_folders),
            cache_folder=cache_folder or (Path(scratch) if processes > 1 else shared),
            state=f"{kept}/{name}" if kept else None,
            save_every_steps=save_every_steps,
        )
        if ranks.rank:
            return follow(partial(learn, run))
        return tell(_lead(run, splits, output, inputs, settings, processes))


def _lead(
    run: TrainingRun,
    splits: Path,
    output: Path,
    inputs: Mapping[str, Path],
    settings: Mapping[str, Any],
    processes: int,
) -> StageRecord:
    """The first process's part: it alone writes."""

    def work(folder: Path) -> dict[str, Any]:
        _require_training_products(splits, run.triplets)
        if processes > 1:
            launch(processes, learn, run)  # they leave the finished run's state, which `learn` takes up
        write_trained(folder, load_catalogue(run.validated), run.triplets, run.start_from)
        lead_to_learn()
        return _save(folder, learn(run), run.recipe)

    content = [WEIGHTS, BACKBONE, RECORD]
    record = run_stage("train", output, inputs=inputs, settings=settings, content=content, work=work)
    if run.state is not None:
        StateStore(open_shelf(run.state)).clear()  # the run is over; nothing is left to resume
    return record


def _ranks(processes: int) -> Ranks:
    ranks = Ranks.from_environment()
    if ranks.world > 1 and processes > 1:
        raise TrainingError(f"processes is {processes}, but this is one of {ranks.world} that were started: leave it 1")
    return ranks


@contextmanager
def _photos_folder(name: str, ranks: Ranks) -> Iterator[Path | None]:
    """Where the ranks of one machine share decoded photos; a restarted group finds them by the run's name."""
    if ranks.world == 1:
        yield None
        return
    folder = private_folder(Path(tempfile.gettempdir()) / f"lookalike-photos-{name}")
    yield folder
    if ranks.local_rank == 0:
        shutil.rmtree(folder, ignore_errors=True)


def _save(folder: Path, learnt: Learnt, recipe: Recipe) -> dict[str, Any]:
    checkpoint = save_checkpoint(folder, learnt.network, recipe, learnt.labels, learnt.backbone)
    _metrics_table(learnt.history).to_csv(folder / METRICS, index=False)
    return {"fingerprint": checkpoint.identity.fingerprint, "photos": learnt.photos, **learnt.history[-1]}


def _metrics_table(history: History) -> pd.DataFrame:
    first = ["epoch", "steps", "loss"]
    return pd.DataFrame(history)[[*first, *sorted(set(history[0]) - set(first))]]


def _run_name(inputs: Mapping[str, Path], settings: Mapping[str, Any]) -> str:
    """Folder of a run's state: another recipe or other data never resumes from it."""
    return digest_json({**settings, **{name: read_seal(path).content for name, path in inputs.items()}})[:12]


def _require_training_products(splits: Path, triplets: Path) -> None:
    table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
    training = set(table.loc[table["split"] == "train", "product_id"])
    named = pd.read_parquet(triplets / TRIPLETS, columns=["anchor", "positive", "negative"])
    stray = set(named.to_numpy().ravel()) - training
    if stray:
        raise TrainingError(
            f"{triplets} names {len(stray)} products outside the train split of {splits}, for example "
            f"'{min(stray)}'; mine again from this split"
        )
