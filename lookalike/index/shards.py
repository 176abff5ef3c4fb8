"""A gallery embedded in shards: each on a machine of its own, sealed and resumed by itself, all joined in one build.

A shard is a run of whole batches of the catalogue's pictures. So every picture is embedded in the batch it would be
embedded in without shards, and its vector is the same to the last bit on the same kind of machine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import MAPPING, Catalogue, load_photos
from lookalike.config import load_config
from lookalike.embedders.model_folder import load_model
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError, ConfigError
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import GALLERY_COLUMNS, PHOTO_IDS, VECTORS, Gallery, load_gallery
from lookalike.index.pieces import Pieces, join_galleries
from lookalike.storage import StageRecord, digest_json, read_json, read_seal, run_stage, unfinished, write_json

SHARD = "shard.json"
_WRITTEN = re.compile(r"([0-9]+)/([0-9]+)")


@dataclass(frozen=True)
class Shard:
    """One of several shards; written `2/8`, the second of eight."""

    number: int
    """From 1."""
    of: int

    @classmethod
    def read(cls, text: str) -> "Shard":
        """Raises ConfigError for anything but a number, a slash and a number that is not smaller."""
        found = _WRITTEN.fullmatch(text)
        shard = cls(int(found[1]), int(found[2])) if found else None
        if shard is None or not 1 <= shard.number <= shard.of:
            raise ConfigError(f"the shard is {text!r}; 1/1, or 2/8 for the second of eight, is accepted")
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def plan_shards(catalogue: Catalogue, wanted: int, batch: int) -> list[Shard]:
    """As many shards as wanted, fewer where there are fewer batches to share. Raises ConfigError below 1."""
    if wanted < 1:
        raise ConfigError(f"{wanted} shards were asked for; at least 1 is accepted")
    of = max(1, min(wanted, -(-len(_pictures(catalogue)) // batch)))
    return [Shard(number, of) for number in range(1, of + 1)]


def part_of(catalogue: Catalogue, shard: Shard, batch: int) -> Catalogue:
    """The catalogue with the shard's pictures alone. Raises ConfigError where these are none."""
    pictures = _pictures(catalogue)
    batches = -(-len(pictures) // batch)
    first, last = ((number * batches // shard.of) * batch for number in (shard.number - 1, shard.number))
    mine = pictures.iloc[first:last]
    if mine.empty:
        raise ConfigError(f"shard {shard} is empty: the gallery has {batches} batches of {batch} pictures to share")
    return replace(catalogue, photos=catalogue.photos[catalogue.photos["photo_id"].isin(mine)])


def embed_shard(
    validated: Path, exported: Path, output: Path, embedder: Embedder, shard: Shard, batch: int
) -> StageRecord:
    """Embed one shard of a catalogue's gallery; one that is finished already is left as it is.

    One that was interrupted goes on after the last piece it kept, see `pieces`, beside the output.
    Writes `shard.json`, `vectors.npy` and `photo_ids.parquet`. Raises ReleaseMismatch when the embedder is not the
    exported model, and ConfigError for a shard without pictures.
    """
    model = load_model(exported)
    embedder.identity.require(model.fingerprint, str(exported))
    named = {"shard": str(shard), "batch": batch}
    whole = {"model_fingerprint": model.fingerprint, "catalogue": read_seal(validated).content}
    pieces = Pieces(unfinished(output, digest_json({**named, **whole})))

    def work(folder: Path) -> dict[str, Any]:
        part = _pictured(validated, pieces.photos(lambda: part_of(_gallery(validated), shard, batch).photos))
        gallery, embedded = embed_gallery(part, embedder, batch, pieces=pieces)
        gallery.save(folder)
        write_json(folder / SHARD, {**named, **whole})
        return {**named, "embedded": embedded}

    inputs, content = {"validated": validated, "exported": exported}, [SHARD, VECTORS, PHOTO_IDS]
    record = run_stage("shard", output, inputs=inputs, settings=named, content=content, work=work)
    pieces.clear()
    return record


def join_shards(folders: Sequence[Path], model_fingerprint: str, catalogue: str) -> Gallery:
    """The galleries of all shards together, whatever their order.

    Raises ArtifactError where one is missing, given twice, unfinished, or of another model, catalogue digest or batch.
    """
    found = {folder: read_json(folder / SHARD) for folder in folders if read_seal(folder)}
    for folder, written in found.items():
        if (written["model_fingerprint"], written["catalogue"]) != (model_fingerprint, catalogue):
            raise ArtifactError(f"{folder} is a shard of another model or catalogue; embed it again")
    shards = sorted((Shard.read(written["shard"]) for written in found.values()), key=lambda shard: shard.number)
    batches = sorted({written["batch"] for written in found.values()})
    wanted = [Shard(number, shards[0].of) for number in range(1, shards[0].of + 1)] if shards else []
    if not shards or shards != wanted or len(batches) != 1:
        names = ", ".join(map(str, shards)) or "none"
        raise ArtifactError(f"the shards {names} of {batches} pictures a batch are not the shards of one gallery")
    joined = join_galleries(map(load_gallery, found))
    assert joined is not None
    return joined


def _gallery(validated: Path) -> Catalogue:
    """Of a catalogue's photos what embedding asks for: of a million, read in half the time."""
    return _pictured(validated, load_photos(validated, [*GALLERY_COLUMNS, "position"]))


def _pictured(validated: Path, photos: pd.DataFrame) -> Catalogue:
    """A catalogue of these photos, without products."""
    return Catalogue(validated, pd.DataFrame(), photos, load_config(CatalogueMapping, validated / MAPPING))


def _pictures(catalogue: Catalogue) -> "pd.Series[str]":
    """The first photo of every picture in the gallery, in the catalogue's order."""
    return catalogue.gallery_photos.drop_duplicates("sha256")["photo_id"]
