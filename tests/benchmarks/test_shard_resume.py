"""The study of kills over a sharded build: where it kills, that it goes on, and what it grows."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.cluster.grown_photos import grow_photo, grown_catalogue
from benchmarks.cluster.shard_arms import Arm
from benchmarks.cluster.shard_phases import EMBEDDING, GRAPH, PHASES, SEALING, Kill, Size, drawn_kills, reached, where
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.index.build import build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.shards import Shard, embed_shard
from lookalike.storage import read_seal
from lookalike.workspace import Workspace
from tests.index.stages import drawn_photo, exported_folder, validated_folder

LIVES = """
import pathlib, sys, time
book = pathlib.Path(sys.argv[1])
book.write_text(book.read_text() + "x" if book.exists() else "x")
time.sleep(0 if len(book.read_text()) > 2 else 600)
"""
"""Ends in its third life alone."""


@pytest.mark.parametrize("count", [5, 20, 33])
def test_kills_come_in_every_phase_and_in_order(count: int) -> None:
    kills = drawn_kills(count, np.random.default_rng(0))
    assert len(kills) == count
    assert {kill.phase for kill in kills} == set(PHASES)
    order = [(PHASES.index(kill.phase), kill.share) for kill in kills]
    assert order == sorted(order)
    assert kills == drawn_kills(count, np.random.default_rng(0))


def test_a_kill_is_due_from_its_moment_on() -> None:
    kill = Kill(GRAPH, 0.5, 0.0)
    assert [reached(kill, phase, 0.4) for phase in PHASES] == [False, False, False, False, True]
    assert reached(kill, GRAPH, 0.5)


def test_an_arm_is_killed_started_again_and_done(tmp_path: Path) -> None:
    book = tmp_path / "book"

    def lives() -> tuple[str, float]:
        return EMBEDDING, float(len(book.read_text())) if book.exists() else 0.0

    arm = Arm([sys.executable, "-c", LIVES, str(book)], lives, [Kill(EMBEDDING, 1, 0.0), Kill(EMBEDDING, 2, 0.0)])
    while not arm.done:
        arm.turn(1.0)
    assert book.read_text() == "xxx"
    assert arm.killed == {EMBEDDING: 2}
    assert arm.processor_seconds > 0
    assert sum(arm.spent.values()) == pytest.approx(arm.seconds)


def test_a_build_that_fails_is_not_started_again(tmp_path: Path) -> None:
    arm = Arm([sys.executable, "-c", "raise SystemExit(3)"], lambda: (EMBEDDING, 0.0), [])
    with pytest.raises(RuntimeError, match="the build ended with 3"):
        arm.turn(60.0)


def test_files_say_how_far_a_build_has_come(tmp_path: Path) -> None:
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24), dimension=16)
    inputs = (
        validated_folder(tmp_path / "validated", range(16)),
        exported_folder(tmp_path / "exported", embedder),
    )
    root, size = tmp_path / "run", Size(photos=16, shards=2)
    assert where(root, size) == (EMBEDDING, 0.0)
    places = [Workspace(root).shard(f"{number}/2") for number in (1, 2)]
    embed_shard(*inputs, places[0], embedder, Shard(1, 2), 8)
    assert where(root, size) == (EMBEDDING, 0.5)
    embed_shard(*inputs, places[1], embedder, Shard(2, 2), 8)
    assert where(root, size) == ("joining", 0.0)
    with FaissIndex(root / "faiss") as index:
        build_index(*inputs, Workspace(root).index, index, embedder, shards=places)
    assert where(root, size) == (SEALING, 0.5)


def test_a_grown_photo_is_another_of_the_same_size_and_always_the_same() -> None:
    photo = drawn_photo(3)
    grown = [grow_photo(photo, 0, number) for number in range(6)]
    assert len(set(grown)) == 6
    assert grown == [grow_photo(photo, 0, number) for number in range(6)]
    assert {Image.open(io.BytesIO(content)).size for content in grown} == {Image.open(io.BytesIO(photo)).size}


def test_a_grown_catalogue_is_one_that_was_validated(tmp_path: Path) -> None:
    real = validated_folder(tmp_path / "real", range(4))
    grown = grown_catalogue(real, tmp_path / "grown", 10, seed=0, processes=1)
    catalogue = load_catalogue(grown)
    assert catalogue.photos["sha256"].nunique() == len(catalogue.gallery_photos) == len(catalogue.products) == 10
    assert catalogue.products["product_id"].is_monotonic_increasing
    before = read_seal(grown)
    grown_catalogue(real, tmp_path / "grown", 10, seed=0, processes=1)
    assert read_seal(grown) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grown", "real"]
