"""Options that verbs share reach them as one value."""

from pathlib import Path
from typing import Annotated

import typer
from typer.testing import CliRunner

from app.shop_options import ShopOptions, TrainingOptions, taking

app, seen = typer.Typer(), list[tuple[ShopOptions, str, int]]()


@app.command()
@taking(TrainingOptions)
def show(options: TrainingOptions, name: Annotated[str, typer.Argument()], shards: int = 1) -> None:
    """Remember what was typed."""
    seen.append((options, name, shards))


def test_a_verb_is_given_the_options_it_shares_beside_its_own() -> None:
    typed = ["first", "-c", "data", "--limit", "3", "--set", "split.seed=7", "--shards", "2", "--recipe", "sample_cpu"]
    assert CliRunner().invoke(app, typed).exit_code == 0
    ((options, name, shards),) = seen
    assert (name, shards) == ("first", 2)
    assert options == TrainingOptions(catalogue="data", limit=3, overrides=["split.seed=7"])
    assert options.data("milvus.db") == ("data", "", 3, "milvus.db", {"split": {"seed": 7}})
    assert options.shop.root == Path("runs/shop").resolve()


def test_a_shared_option_without_a_default_is_asked_for() -> None:
    result = CliRunner().invoke(app, ["first"])
    assert result.exit_code == 2
    assert "--catalogue" in result.output
