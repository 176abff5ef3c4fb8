"""The stage and its verb: the folder holds the choice, and the choice can be built."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.main import get_command

from app.cli import app, main
from lookalike.catalog.images import Preprocessing
from lookalike.config import load_config
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.errors import ArtifactError, ConfigError, VectorIndexError
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings
from lookalike.selection.choice import Limits
from lookalike.selection.select import SelectSettings, select_index
from lookalike.selection.sources import read_source
from lookalike.storage import read_json, read_seal
from tests.index.stages import exported_folder, validated_folder
from tests.selection.shop import QUICKLY, Ticking, clustered

WIDE = Limits(products=450, updates_per_hour=60, latency_ms=60_000, memory_gib=1, recall=0.8)
QUICK = SelectSettings(quick=True, exact_rows=0)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors") / "vectors.npy"
    np.save(path, clustered(450))
    return path


@pytest.fixture(scope="module")
def selected(vectors: Path) -> Path:
    """The output of a selection among all kinds."""
    select_index(vectors, vectors.parent / "out", WIDE, QUICK)
    return vectors.parent / "out"


def test_the_folder_holds_the_measurements_the_choice_and_the_plot(vectors: Path, selected: Path) -> None:
    output, record = selected, read_seal(selected)
    table, choice = pd.read_parquet(output / "measurements.parquet"), read_json(output / "choice.json")
    assert choice["chosen"] == record.figures["chosen"]
    row = table.set_index("name").loc[choice["chosen"]]
    assert row["recall"] >= 0.8
    assert FaissSettings.model_validate(choice["settings"]) == FaissSettings.model_validate_json(row["settings"])
    assert choice["limits"]["products"] == 450
    with Image.open(output / "pareto.png") as plot:
        assert plot.width > 300
    report = (output / "report.md").read_text(encoding="utf-8")
    assert all(name in report for name in table["name"])
    assert "45 products were held out" in report
    assert not (output.parent / ".out.sweep").exists()
    assert select_index(vectors, output, WIDE, QUICK).reused


def test_an_index_is_built_from_the_chosen_settings_by_the_ordinary_stage(selected: Path, tmp_path: Path) -> None:
    home = tmp_path / "faiss"
    home.mkdir()
    shutil.copy(selected / "settings.json", home)
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24), dimension=32)
    validated = validated_folder(tmp_path / "validated", range(40))
    exported = exported_folder(tmp_path / "exported", embedder)
    with FaissIndex(home) as index:
        settings = IndexSettings(min_recall_at_10=0.5)
        build_index(validated, exported, tmp_path / "index", index, embedder, settings)
        [collection] = index.collections()
        stored = np.load(tmp_path / "index" / "vectors.npy", allow_pickle=False)
        assert [hits[0].score for hits in index.search(collection, stored, 1)] == pytest.approx([1.0] * 40, abs=1e-5)
    manifest = read_json(home / collection / "collection.json")
    assert manifest["settings"] == load_config(FaissSettings, selected / "settings.json").model_dump()
    assert manifest["settings"]["structure"]["kind"] != "flat", "the point of choosing"


def test_limits_that_nothing_meets_leave_no_settings(vectors: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    narrow = WIDE.model_copy(update={"latency_ms": 1e-6})
    record = select_index(vectors, output, narrow, SelectSettings(quick=True))
    assert record.figures["chosen"] == "none"
    assert read_json(output / "choice.json")["settings"] is None
    assert not (output / "settings.json").exists()
    assert "misses" in (output / "report.md").read_text(encoding="utf-8")
    assert read_seal(output).stage == "select"


class Interrupted(Exception):
    pass


def test_a_killed_selection_leaves_no_output_and_goes_on(vectors: Path, tmp_path: Path) -> None:
    class Breaking(Ticking):
        left = 1_000

        def __call__(self) -> float:
            self.left -= 1
            if not self.left:
                raise Interrupted
            return super().__call__()

    settings = SelectSettings(exact_rows=0, measure=QUICKLY, quick=True)
    with pytest.raises(Interrupted):
        select_index(vectors, tmp_path / "out", WIDE, settings, clock=Breaking())
    assert not (tmp_path / "out").exists()
    done = len(list((tmp_path / ".out.sweep").glob("*/*.json")))
    assert done
    select_index(vectors, tmp_path / "out", WIDE, settings, clock=Ticking(2.0))
    times = pd.read_parquet(tmp_path / "out" / "measurements.parquet")["p50_ms"].tolist()
    assert times == [1_000.0] * done + [2_000.0] * (len(times) - done)


def test_more_products_than_this_machine_can_hold_are_refused(vectors: Path, tmp_path: Path) -> None:
    huge = WIDE.model_copy(update={"products": 10**12})
    with pytest.raises(ConfigError, match="this machine has"):
        select_index(vectors, tmp_path / "out", huge, QUICK)


def test_vectors_of_the_embed_stage_and_their_attributes_are_read(tmp_path: Path) -> None:
    validated = validated_folder(tmp_path / "validated", range(6))
    ids, numbers = ["p001", "p000", "elsewhere"], clustered(3, dimension=4)
    pq.write_table(pa.table({"product_id": ids, "vector": numbers.tolist()}), tmp_path / "vectors.parquet")
    source = read_source(tmp_path, validated)
    np.testing.assert_array_equal(source.vectors, numbers)
    assert source.products.tolist() == ids
    assert source.codes is not None
    assert source.codes[:, 0].tolist() == [0, 1, -1]  # blue, red; a product the catalogue does not have


def test_a_place_without_vectors_and_vectors_without_unit_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="holds no vectors"):
        read_source(tmp_path)
    np.save(tmp_path / "long.npy", 2 * clustered(20))
    with pytest.raises(VectorIndexError, match="unit length"):
        read_source(tmp_path / "long.npy")


def test_the_verb_tells_its_reasons_and_refuses_what_cannot_be(
    vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--products", "450", "--updates-per-hour", "0", "--latency-ms", "60000", "--memory-gib", "1"]
    asked += ["--vectors", str(vectors), "--out", str(tmp_path / "out"), "--quick", "-w", str(tmp_path)]

    def run(*further: str) -> int:
        monkeypatch.setattr("sys.argv", ["lookalike", "index", "select", *asked, *further])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    assert run("--recall", "0.9") == 0
    told = capsys.readouterr().out
    assert "1 of 1 candidates meet every limit; flat is the cheapest of them." in told
    assert "settings.json" in told
    assert run("--recall", "0.9", "--latency-ms", "0.000001") == 2
    assert "No candidate of 1 meets every limit; the nearest is flat. P99 is" in capsys.readouterr().err


def test_an_option_in_front_of_the_verb_is_not_lost_silently(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lookalike", "index", "-w", "shop", "select", "--products", "1"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "after" in capsys.readouterr().err


def test_the_guide_names_only_options_and_files_there_are(selected: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "choosing-an-index.md").read_text(encoding="utf-8")
    group = get_command(app).commands["index"]  # type: ignore[attr-defined]
    options = {name for command in (group, group.commands["select"]) for one in command.params for name in one.opts}
    assert set(re.findall(r"--[a-z-]{2,}", guide)) <= options
    files = set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", guide, re.MULTILINE))
    assert files == {path.name for path in selected.iterdir()} - {"stage.json"}
