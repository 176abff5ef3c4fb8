"""One run: labels, triplets, training, and for hard negatives a second half mined from the first."""

from pathlib import Path

from benchmarks.embedding.arms import Arm
from benchmarks.embedding.places import Places
from benchmarks.embedding.relabel import hide_labels, read_from_titles
from benchmarks.embedding.schedule import alone
from benchmarks.embedding.settings import Experiment
from lookalike.mining.mine import mine
from lookalike.mining.settings import MiningSettings
from lookalike.storage import StageRecord
from lookalike.training.embed_products import embed_products
from lookalike.training.fit import train
from lookalike.training.recipe import Recipe

HIDDEN = {"hidden_30": 0.3, "hidden_60": 0.6}
"""Share of the train split's known labels that an arm does not get to see."""

HARD_SHARE = 0.5
"""Share of the second half's triplets whose negative is hard."""


def run_arm(arm: Arm, seed: int, places: Places, settings: Experiment, encoders: Path) -> StageRecord:
    """Make one arm's checkpoint under one seed, or find it made; what a killed run had finished is kept."""
    catalogue = _labelled(arm, seed, places)
    triplets = _mined(arm, seed, catalogue, places)
    recipe = arm.recipe(settings, seed)
    checkpoint = places.checkpoint(arm.name, seed)
    if not arm.hard:
        return _train(catalogue, triplets, checkpoint, recipe, places, encoders)
    run = places.run(arm.name, seed)
    first, vectors, hard = run / "first_half", run / "vectors", run / "hard_triplets"
    _train(catalogue, triplets, first, recipe, places, encoders)
    embed_products(catalogue, places.splits, first, vectors)
    mine(catalogue, places.splits, hard, _hard_mining(seed), vectors=vectors)
    return _train(catalogue, hard, checkpoint, recipe, places, encoders, start_from=first)


def _labelled(arm: Arm, seed: int, places: Places) -> Path:
    """The catalogue with the labels this arm may see; made by whichever process comes first."""
    if arm.labels == "all":
        return places.validated
    output = places.relabelled(arm.labels, seed)
    with alone(output):
        if arm.labels == "with_titles":
            read_from_titles(places.validated, output)
        else:
            hide_labels(places.validated, places.splits, output, HIDDEN[arm.labels], seed)
    return output


def _mined(arm: Arm, seed: int, catalogue: Path, places: Places) -> Path:
    output = places.triplets(arm.labels, arm.scheme, seed)
    with alone(output):
        mine(catalogue, places.splits, output, arm.mining(seed))
    return output


def _hard_mining(seed: int) -> MiningSettings:
    return MiningSettings(hard_share=HARD_SHARE, seed=seed + 1000)  # other easy triplets than the first half's


def _train(
    catalogue: Path,
    triplets: Path,
    output: Path,
    recipe: Recipe,
    places: Places,
    encoders: Path,
    start_from: Path | None = None,
) -> StageRecord:
    return train(
        catalogue,
        places.splits,
        triplets,
        output,
        recipe,
        resume_at=places.resume,
        start_from=start_from,
        encoder_folders=(encoders,),
        cache_folder=places.pixels,
    )
