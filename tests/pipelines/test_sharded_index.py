"""Shards through KFP's own local runner: ParallelFor, Collected, and what an interrupted run does not do twice."""

from pathlib import Path

import pytest
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model, Output

from app.local_runner import run_pipeline
from components.find_champion import find_champion
from components.image import IMAGE
from lookalike import stages
from lookalike.errors import PipelineError
from lookalike.index.faiss import FaissIndex
from lookalike.index.gallery import load_gallery
from lookalike.storage import read_seal
from pipelines.sharded_index import sharded_index
from tests.index.stages import validated_folder
from tests.release.tiny import exported

pytestmark = pytest.mark.slow

SETTINGS = {"index": {"batch": 5, "recall_queries": 8, "golden": 4}}


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def given(catalogue: str, model: str, validated: Output[Dataset], exported: Output[Model]):
    """Bring finished stage outputs into a pipeline.

    Args:
        catalogue: folder of the validated catalogue.
        model: folder of the exported model.
    """
    import shutil

    shutil.copytree(catalogue, validated.path)
    shutil.copytree(model, exported.path)


@dsl.pipeline(name="sharded")
def sharded(catalogue: str, model: str, uri: str, shards: int, settings: dict) -> Artifact:
    """The index alone, over outputs that lie ready."""
    parts = given(catalogue=catalogue, model=model)
    return sharded_index(parts.outputs["validated"], parts.outputs["exported"], shards, uri, settings, settings)


@dsl.pipeline(name="nested")
def nested(catalogue: str, model: str, uri: str, workspace: str, settings: dict):
    """Where the watch pipeline has it: inside another pipeline, behind a condition."""
    champion = find_champion(workspace=workspace)
    with dsl.If(champion.output == "", name="nothing-live"):
        sharded(catalogue=catalogue, model=model, uri=uri, shards=2, settings=settings)


def test_a_condition_and_a_nested_pipeline_do_not_keep_shards_from_running(tmp_path: Path) -> None:
    catalogue, model = validated_folder(tmp_path / "validated", range(12)), exported()
    asked = {"catalogue": str(catalogue), "model": str(model), "settings": SETTINGS, "workspace": str(tmp_path)}
    places = {"root": tmp_path / "root", "log": tmp_path / "run.log"}
    run_pipeline(nested, {**asked, "uri": f"faiss://{tmp_path / 'faiss'}"}, **places, say=lambda line: None)
    with FaissIndex(tmp_path / "faiss") as index:
        assert [index.count(name) for name in index.collections()] == [12]


def test_shards_make_the_same_index_and_are_not_embedded_twice(tmp_path: Path) -> None:
    catalogue, model = validated_folder(tmp_path / "validated", range(23)), exported()
    whole = tmp_path / "whole"
    stages.index(str(catalogue), str(model), str(whole), milvus_uri=f"faiss://{tmp_path / 'plain'}", settings=SETTINGS)
    asked = {"catalogue": str(catalogue), "model": str(model), "shards": 3, "settings": SETTINGS}
    places = {"root": tmp_path / "root", "log": tmp_path / "run.log"}
    said: list[str] = []
    with pytest.raises(PipelineError, match="names no folder"):
        run_pipeline(sharded, {**asked, "uri": "faiss://"}, **places, say=said.append)
    assert sum(line.startswith("  ▸ embed-shard") for line in said) == 3

    said.clear()
    run = run_pipeline(sharded, {**asked, "uri": f"faiss://{tmp_path / 'sharded'}"}, **places, say=said.append)
    assert sum(line.startswith("  ✓ embed-shard") for line in said) == 3, "finished shards come from the cache"
    (joined,) = run.outputs.values()
    assert read_seal(joined).content == read_seal(whole).content

    queries = load_gallery(whole).vectors
    with FaissIndex(tmp_path / "plain") as plain, FaissIndex(tmp_path / "sharded") as other:
        (collection,) = plain.collections()
        assert other.collections() == [collection]
        assert other.search(collection, queries, 10) == plain.search(collection, queries, 10)
