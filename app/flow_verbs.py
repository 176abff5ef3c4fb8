"""The flow's stages as verbs: each reads and writes its place in the workspace."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import (
    DEFAULT_WORKSPACE,
    CatalogueOption,
    EncoderOption,
    LexiconOption,
    LimitOption,
    MappingOption,
    MilvusOption,
    RecipeOption,
    SetOption,
    SettingsOption,
    SigningKeyOption,
    WorkspaceOption,
    read_settings,
)
from app.recipes import resolve_recipe
from app.telling import tell
from lookalike import stages
from lookalike.workspace import Workspace


def draw(
    output: Annotated[Path, typer.Argument(help="Folder to write the drawn shop to.")],
    products: Annotated[int, typer.Option(min=1, help="How many products to draw.")] = 600,
    seed: Annotated[int, typer.Option(help="The same seed draws the same shop, byte for byte.")] = 0,
) -> None:
    """Draw the sample shop: a catalogue of garments, shoes and bags with true attributes."""
    tell(stages.draw(str(output), products=products, seed=seed))


def validate(
    catalogue: CatalogueOption,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    mapping: MappingOption = None,
    lexicon: LexiconOption = "",
    limit: LimitOption = 0,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Check a catalogue and set bad rows aside with reasons."""
    named = [f"validate.lexicon={lexicon}"] if lexicon else []
    shop = Workspace(workspace)
    chosen = stages.with_erasures(str(shop.root), read_settings(settings, [*named, *(overrides or [])]))
    tell(
        stages.validate(catalogue, str(shop.validated), mapping=str(mapping or ""), limit=limit, settings=chosen),
        f"{shop.validated}/data_docs/index.html",
    )


def split(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE, settings: SettingsOption = None, overrides: SetOption = None
) -> None:
    """Assign products to train, validation and test without leaking designs or near-duplicates."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    tell(stages.split(str(shop.validated), str(shop.splits), settings=chosen))


def mine(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    vectors: Annotated[
        Path | None, typer.Option(help="Folder of embedded products; half of the negatives come from near the anchor.")
    ] = None,
    clicks: Annotated[
        Path | None,
        typer.Option(help="Click log in parquet (needs --vectors) or a folder of collected feedback; adds triplets."),
    ] = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Draw triplets across levels of attribute agreement."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    further = {"vectors": str(vectors or ""), "clicks": str(clicks or "")}
    tell(stages.mine(str(shop.validated), str(shop.splits), str(shop.triplets), **further, settings=chosen))


def train(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    recipe: RecipeOption = "sample_cpu",
    encoder: EncoderOption = "",
    epochs: Annotated[int, typer.Option(min=0, help="Epochs instead of the recipe's; 0 keeps them.")] = 0,
    continue_from: Annotated[str, typer.Option(help="Release whose weights to start from.")] = "",
    cache: Annotated[str, typer.Option(help="Folder that keeps decoded photos for the next run.")] = "",
    processes: Annotated[
        int, typer.Option(min=0, help="Processes that share every batch; 0 for one per GPU. Leave it 1 under torchrun.")
    ] = 1,
    state: Annotated[
        str,
        typer.Option(
            help="Folder or URL (s3://, gs://) that an interrupted run goes on from; without it the workspace's.",
            envvar="LOOKALIKE_TRAINING_STATE",
        ),
    ] = "",
    save_every: Annotated[int, typer.Option(min=0, help="Steps between saved states; 0 for 500.")] = 0,
) -> None:
    """Train the multi-task embedding; an interrupted run continues where it stopped. Under torchrun, one of many."""
    shop, chosen = Workspace(workspace), resolve_recipe(recipe, encoder, epochs)
    inputs = (str(shop.validated), str(shop.splits), str(shop.triplets), str(shop.checkpoint))
    places = {"workspace": str(shop.root), "continue_from": continue_from, "cache": cache, "state": state}
    record = stages.train(*inputs, recipe=chosen.text, processes=processes, save_every=save_every, **places)
    if os.environ.get("RANK", "0") == "0":  # torchrun's name for the first of the processes: one speaks for all
        tell(record)


def embed(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """Embed the products trained on, into the workspace's `vectors`, for `mine --vectors`."""
    shop = Workspace(workspace)
    tell(stages.embed_products(*map(str, (shop.validated, shop.splits, shop.checkpoint, shop.vectors))))


def feedback(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE, settings: SettingsOption = None, overrides: SetOption = None
) -> None:
    """Collect clicks and purchases for `mine --clicks` and for the gate, without what cannot be believed."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    folders = (str(shop.validated), str(shop.splits), str(shop.collected_feedback))
    champion = stages.champion(str(shop.root))
    tell(stages.collect_feedback(*folders, workspace=str(shop.root), champion=champion, settings=chosen))


def evaluate(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE, settings: SettingsOption = None, overrides: SetOption = None
) -> None:
    """Measure the model on the test split, and on feedback where some was collected; decide on its release."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    inputs = (str(shop.validated), str(shop.splits), str(shop.checkpoint), str(shop.evaluation))
    beside = {"champion": stages.champion(str(shop.root))}
    if shop.collected_feedback.is_dir():
        beside["feedback"] = str(shop.collected_feedback)
    tell(
        stages.evaluate(*inputs, workspace=str(shop.root), **beside, settings=chosen),
        f"{shop.evaluation}/report.html",
    )


def export(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE, settings: SettingsOption = None, overrides: SetOption = None
) -> None:
    """Export the model to ONNX for Triton and prove it equal to the trained one."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    folders = (shop.checkpoint, shop.validated, shop.splits, shop.exported)
    tell(stages.export(*map(str, folders), settings=chosen))


def features(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    again: Annotated[
        bool,
        typer.Option("--again", help="Write all releases' features again: the online store was lost or changed."),
    ] = False,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Apply the Feast repository for the new release and materialise it; an interrupted run goes on."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    if again:
        for service, filled in stages.refill_features(workspace=str(shop.root), settings=chosen).items():
            typer.echo(f"features {service}: {filled.rows:,} products written, {filled.rows_per_second:,.0f} a second")
        return
    places = {"workspace": str(shop.root), "definitions": str(files("feature_repo"))}
    tell(stages.features(str(shop.validated), str(shop.index), str(shop.features), **places, settings=chosen))


def release(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    hold: Annotated[bool, typer.Option("--hold", help="Keep it ready for `lookalike trial` instead.")] = False,
    milvus: MilvusOption = "",
    signing_key: SigningKeyOption = "",
) -> None:
    """Put model, collection and features in service together."""
    shop = Workspace(workspace)
    parts = (shop.validated, shop.exported, shop.evaluation, shop.index, shop.features)
    with milvus_for(shop, milvus) as uri:
        places = {"workspace": str(shop.root), "milvus_uri": uri}
        released = stages.release(*map(str, parts), **places, hold=hold, key=signing_key)
    typer.echo(f"release {released[:12]} is {'ready for a trial' if hold else 'in service'}")


VERBS = (draw, validate, split, feedback, mine, train, embed, evaluate, export, features, release)
