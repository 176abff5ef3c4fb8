"""Shards of a gallery: every picture in one of them, and together what a build without shards makes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.errors import ArtifactError, ConfigError, LookalikeError, ReleaseMismatch
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import load_gallery
from lookalike.index.memory import MemoryIndex
from lookalike.index.shards import Shard, embed_shard, part_of, plan_shards
from lookalike.storage import StageRecord, read_seal
from tests.index.stages import exported_folder, validated_folder

BATCH = 4
PRODUCTS = range(23)
EMBEDDER = MemoryEmbedder(Preprocessing(height=32, width=24), dimension=16)
SETTINGS = IndexSettings(batch=BATCH, rows=7, recall_queries=6)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    validated_folder(tmp_path / "validated", PRODUCTS)
    exported_folder(tmp_path / "exported", EMBEDDER)
    return tmp_path


def embed(root: Path, text: str, embedder: MemoryEmbedder = EMBEDDER, batch: int = BATCH) -> StageRecord:
    place = root / f"shard-{text.replace('/', '-of-')}"
    return embed_shard(root / "validated", root / "exported", place, embedder, Shard.read(text), batch)


def folders(root: Path, *texts: str) -> list[Path]:
    return [root / f"shard-{text.replace('/', '-of-')}" for text in texts]


def build(root: Path, name: str, index: MemoryIndex, shards: list[Path]) -> StageRecord:
    parts = (root / "validated", root / "exported", root / name)
    return build_index(*parts, index, EMBEDDER, SETTINGS, shards)


def with_copies(catalogue: Catalogue) -> Catalogue:
    """Every third photo of the gallery shows what the one before shows."""
    photos = catalogue.photos.copy()
    shown = photos.loc[photos["position"] >= 0, "sha256"].tolist()
    copied = [shown[row - (row % 3 == 2)] for row in range(len(shown))]
    photos.loc[photos["position"] >= 0, "sha256"] = copied
    return replace(catalogue, photos=photos)


@pytest.mark.parametrize("wanted", range(1, 9))
@pytest.mark.parametrize("copies", [False, True])
def test_every_picture_is_in_one_shard_and_no_batch_is_cut(root: Path, wanted: int, copies: bool) -> None:
    catalogue = load_catalogue(root / "validated")
    catalogue = with_copies(catalogue) if copies else catalogue
    whole = catalogue.gallery_photos.drop_duplicates("sha256")["photo_id"].tolist()
    shards = plan_shards(catalogue, wanted, BATCH)
    assert len(shards) == min(wanted, -(-len(whole) // BATCH))
    parts = [part_of(catalogue, shard, BATCH).gallery_photos["photo_id"].tolist() for shard in shards]
    assert [photo for part in parts for photo in part] == whole
    assert all(len(part) % BATCH == 0 for part in parts[:-1])
    assert max(map(len, parts)) - min(map(len, parts[:-1] or parts)) <= BATCH


def test_photos_of_the_same_bytes_share_the_first_ones_vector_and_cost_nothing(root: Path) -> None:
    catalogue = with_copies(load_catalogue(root / "validated"))
    gallery, embedded = embed_gallery(catalogue, EMBEDDER, BATCH)
    assert embedded == gallery.photos["sha256"].nunique() < len(gallery.photos)
    for _, rows in gallery.photos.reset_index(drop=True).groupby("sha256"):
        assert (gallery.vectors[rows.index] == gallery.vectors[rows.index[0]]).all()


@pytest.mark.parametrize("wanted", [1, 2, 5])
def test_the_build_from_shards_is_the_build_without(root: Path, wanted: int) -> None:
    plain, sharded = MemoryIndex(), MemoryIndex()
    whole = build(root, "whole", plain, [])
    names = [str(shard) for shard in plan_shards(load_catalogue(root / "validated"), wanted, BATCH)]
    embedded = [embed(root, name).figures["embedded"] for name in names]
    joined = build(root, "joined", sharded, folders(root, *reversed(names)))
    assert sum(embedded) == len(PRODUCTS) and joined.figures["embedded"] == 0
    assert (joined.content, joined.inputs) == (whole.content, whole.inputs)
    (collection,) = sharded.collections()
    queries = load_gallery(root / "whole").vectors
    assert sharded.search(collection, queries, 10) == plain.search(collection, queries, 10)


def test_a_finished_shard_is_left_as_it_is_and_a_lost_one_made_again(root: Path) -> None:
    first = [embed(root, text) for text in ("1/3", "2/3", "3/3")]
    (folders(root, "2/3")[0] / "vectors.npy").unlink()
    again = [embed(root, text) for text in ("1/3", "2/3", "3/3")]
    assert [record.reused for record in again] == [True, False, True]
    assert [record.content for record in again] == [record.content for record in first]


def test_a_changed_catalogue_makes_every_shard_anew(root: Path) -> None:
    embed(root, "1/2")
    validated_folder(root / "validated", range(24))
    assert not embed(root, "1/2").reused


@pytest.mark.parametrize(
    "given", [("1/3", "2/3"), ("1/3", "2/3", "2/3"), ("2/3", "3/3"), ("1/2", "2/3", "3/3"), ("1/2", "3/3")]
)
def test_shards_that_are_not_one_gallery_are_refused_and_nothing_is_built(root: Path, given: tuple[str, ...]) -> None:
    for text in given:
        embed(root, text)
    index = MemoryIndex()
    with pytest.raises(ArtifactError, match="are not the shards of one gallery"):
        build(root, "joined", index, folders(root, *given))
    assert index.collections() == [] and not (root / "joined").exists()


def test_shards_of_other_batches_are_refused(root: Path) -> None:
    embed(root, "1/2")
    embed(root, "2/2", batch=5)
    with pytest.raises(ArtifactError, match=r"1/2, 2/2 of \[4, 5\] pictures a batch"):
        build(root, "joined", MemoryIndex(), folders(root, "1/2", "2/2"))


def test_shards_of_another_catalogue_are_refused(root: Path) -> None:
    embed(root, "1/1")
    validated_folder(root / "validated", range(24))
    with pytest.raises(ArtifactError, match="is a shard of another model or catalogue"):
        build(root, "joined", MemoryIndex(), folders(root, "1/1"))


def test_an_unfinished_shard_is_refused(root: Path) -> None:
    embed(root, "1/1")
    (folders(root, "1/1")[0] / "stage.json").unlink()
    with pytest.raises(ArtifactError, match="is not a finished stage output"):
        build(root, "joined", MemoryIndex(), folders(root, "1/1"))


def test_an_embedder_that_is_not_the_exported_model_is_refused(root: Path) -> None:
    with pytest.raises(ReleaseMismatch):
        embed(root, "1/1", MemoryEmbedder(EMBEDDER.identity.preprocessing, dimension=16, seed=1))


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "1/2/3", "-1/2", "a/b"])
def test_a_shard_is_written_as_a_number_of_a_number(text: str) -> None:
    with pytest.raises(ConfigError, match="2/8 for the second of eight, is accepted"):
        Shard.read(text)


def test_more_shards_than_batches_are_refused_or_not_planned(root: Path) -> None:
    with pytest.raises(LookalikeError, match="shard 1/9 is empty: the gallery has 6 batches of 4 pictures"):
        embed(root, "1/9")
    with pytest.raises(ConfigError, match="0 shards were asked for"):
        plan_shards(load_catalogue(root / "validated"), 0, BATCH)


def test_a_shards_seal_says_what_it_holds(root: Path) -> None:
    embed(root, "2/3")
    (folder,) = folders(root, "2/3")
    assert read_seal(folder).figures == {"shard": "2/3", "batch": BATCH, "embedded": 8}
    assert np.isfinite(load_gallery(folder).vectors).all()
