"""Where the delivery of a digest lies.

Pipelines name a delivery by its content alone, so that a catalogue that was moved or copied is the same to them; the
one task that reads it looks up where it was last seen.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.lexicon import find_lexicon
from lookalike.catalog.photo_sources import PhotoStore
from lookalike.catalog.readers import read_catalogue
from lookalike.catalog.tables import CatalogueFiles
from lookalike.catalog.thresholds import ValidationSettings
from lookalike.config import StrictConfig, load_config
from lookalike.errors import CatalogueError
from lookalike.storage import digest_json, read_seal, write_json


class Delivery(StrictConfig):
    """One delivery, as it was seen."""

    catalogue: str
    """Folder, file or URL of the catalogue."""
    mapping: str = ""
    """Mapping file; empty for the one beside the data, or a preset."""


def delivery_digest(delivery: Delivery, settings: ValidationSettings) -> str:
    """SHA-256 over all that decides what is read: tables, mapping, lexicon, referenced photos, the earlier catalogue.

    Neither places nor times are part of it. Photos that lie on the web or in object storage are not fetched for it:
    they count by their address and what their store says of their version. Raises CatalogueError.
    """
    files = CatalogueFiles.find(delivery.catalogue, _mapping(delivery))
    return digest_json(
        {
            "files": files.digest(),
            "mapping": files.mapping.model_dump(mode="json"),
            "lexicon": None if settings.lexicon is None else find_lexicon(settings.lexicon).model_dump(mode="json"),
            "photos": None if _holds_photos(files) else _referenced(delivery, settings),
            "previous": None if settings.previous is None else read_seal(settings.previous).content,
        }
    )


def note_delivery(folder: Path, delivery: Delivery, settings: ValidationSettings) -> str:
    """Remember where a delivery lies; returns its digest."""
    digest = delivery_digest(delivery, settings)
    write_json(folder / f"{digest}.json", delivery.model_dump())
    return digest


def find_delivery(folder: Path, digest: str, settings: ValidationSettings) -> Delivery:
    """The delivery of a digest. Raises CatalogueError where it is not known or no longer what it was."""
    note = folder / f"{digest}.json"
    if not note.is_file():
        raise CatalogueError(f"nobody noted a delivery {digest[:12]} in {folder}; run the pipeline from its first task")
    delivery = load_config(Delivery, note)
    if delivery_digest(delivery, settings) != digest:
        raise CatalogueError(f"{delivery.catalogue} changed while a pipeline was reading it; run the pipeline again")
    return delivery


def _mapping(delivery: Delivery) -> Path | None:
    return Path(delivery.mapping) if delivery.mapping else None


def _holds_photos(files: CatalogueFiles) -> bool:
    """Whether every photo is in the tables, whose bytes are digested anyway."""
    return all(
        name.endswith(".parquet") and _is_bytes(files, name, column)
        for name in [*files.files, *files.queries]
        for column in files.mapping.image
    )


def _is_bytes(files: CatalogueFiles, name: str, column: str) -> bool:
    with files.filesystem.open(name, "rb") as file:
        schema = pq.read_schema(file)
    if column not in schema.names:
        return name in files.queries  # a delivery without it is refused when it is read; query photos have some only
    kind = schema.field(column).type
    kind = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _referenced(delivery: Delivery, settings: ValidationSettings) -> str:
    raw = read_catalogue(delivery.catalogue, _mapping(delivery), lexicon=settings.lexicon)
    store = PhotoStore(settings.photo_root or raw.root, settings.allow_urls, settings.limits.bytes)
    return digest_json([store.content_mark(photo.source) for photo in raw.photos])
