"""The reference: the evaluation's queries, and the release's own early traffic once there is enough of it.

`reference.parquet` comes with the release. The first `early_rows` queries it answers are kept beside it in
`early.parquet`, once and for good, whatever the query log forgets: later windows are compared with both together where
early traffic looks like the evaluation's queries, and with the early traffic alone where it does not. A row takes about
five bytes per dimension: 3,500 rows of 192 dimensions are 3 MB.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.config import StrictConfig, load_config
from lookalike.embedders.model_folder import MODEL, ExportedModel
from lookalike.errors import ArtifactError
from lookalike.observation import REFERENCE_SCHEMA
from lookalike.release.manifest import Release
from lookalike.storage import atomic_file, digest_file, digest_json
from monitoring.calibration import calibrate, judge
from monitoring.samples import BYTES_PER_PIXEL, PHOTOS, Sample, pooled, sample_of, sound_vectors
from monitoring.settings import DriftSettings
from monitoring.windows import answered, first_of_each_photo

REFERENCE = "reference.parquet"
EARLY = "early.parquet"
_NOTE = b"lookalike"


class EarlyNote(StrictConfig):
    """What was found when the early traffic was kept; in the metadata of `early.parquet`."""

    last: str
    """Time of its newest query, ISO 8601; windows begin after it."""
    agrees: bool
    """Whether it looked like the evaluation's queries."""
    words: str
    """Why, in a sentence."""


@dataclass(frozen=True)
class Reference:
    """What a release's windows are compared with."""

    sample: Sample
    words: str
    """Where its rows come from, in a sentence."""
    since: datetime | None
    """Windows begin after this; None where no early traffic was kept."""
    digest: str

    @classmethod
    def of(cls, sample: Sample, words: str, since: datetime | None, *files: Path) -> Self:
        return cls(sample, words, since, digest_json([digest_file(path) for path in files if path.is_file()]))


def read_reference(folder: Path, settings: DriftSettings) -> Reference:
    """The reference of a release, either part thinned at random to its share of `max_reference_rows`.

    How the evaluation's photos are made says nothing about shoppers' cameras, so their photo streams are blank. Where
    the model in service is a rounded copy of the one evaluated, the evaluation's vectors are another model's and the
    early traffic has to do. Raises ArtifactError for a missing or damaged reference.
    """
    evaluated = _thinned(_evaluated(folder), settings.max_reference_rows, settings.seed)
    early, files = _early(folder), (folder / REFERENCE, folder / EARLY)
    if early is None and (rounded := _rounded(folder)):
        return Reference.of(evaluated.take(np.arange(0)), rounded, None, *files)
    if early is None:
        return Reference.of(evaluated, f"{len(evaluated)} queries of the evaluation", None, *files)
    sample, note = early
    since = datetime.fromisoformat(note.last)
    if not note.agrees:
        return Reference.of(sample, f"{len(sample)} early queries; {note.words}", since, *files)
    evaluated = _thinned(evaluated, max(1, settings.max_reference_rows - len(sample)), settings.seed)
    words = f"{len(evaluated)} queries of the evaluation and {len(sample)} early ones; {note.words}"
    return Reference.of(pooled(evaluated, sample), words, since, *files)


def keep_early_traffic(query_log: Path, release: Release, folder: Path, settings: DriftSettings, now: datetime) -> bool:
    """Keep the first `early_rows` queries of the release as soon as it answered so many; says whether it did.

    Kept once: what comes later is compared with them. Raises ReleaseMismatch where the log mixes models.
    """
    if settings.early_rows == 0 or (folder / EARLY).is_file():
        return False
    table, _ = answered(query_log, release, settings, now)
    if not settings.count_repeats:
        table = table.filter(first_of_each_photo(table))
    if len(table) < settings.early_rows:
        return False
    first = table.slice(0, settings.early_rows)
    note = _note(folder, first, settings)
    kept = first.select(REFERENCE_SCHEMA.names).replace_schema_metadata({_NOTE: note.model_dump_json().encode()})
    with atomic_file(folder / EARLY) as aside:
        pq.write_table(kept, aside)
    return True


def _note(folder: Path, first: pa.Table, settings: DriftSettings) -> EarlyNote:
    last = first["time"][-1].as_py().isoformat()
    if rounded := _rounded(folder):
        return EarlyNote(last=last, agrees=False, words=rounded)
    evaluated, early = _thinned(_evaluated(folder), settings.max_reference_rows, settings.seed), sample_of(first)
    if len(evaluated) < settings.min_rows:
        words = f"the evaluation left {len(evaluated)} rows, too few to compare"
        return EarlyNote(last=last, agrees=False, words=words)
    calibration = calibrate(evaluated, len(early), settings)
    rank = calibration.rank(judge(calibration, evaluated, early, settings.seed).score)
    agrees = rank > settings.alpha
    words = (
        f"early traffic {'looked like' if agrees else 'did not look like'} the evaluation's queries (p = {rank:.3g})"
    )
    return EarlyNote(last=last, agrees=agrees, words=words)


def _rounded(folder: Path) -> str | None:
    """Why the evaluation's vectors are not those of the model in service; None where they are."""
    model = load_config(ExportedModel, folder / MODEL) if (folder / MODEL).is_file() else None
    if model is None or model.rounded_from is None:
        return None
    copy = f"a rounded copy ({model.precision}) of the one evaluated"
    return f"the model in service is {copy}, so only its own traffic counts"


def _evaluated(folder: Path) -> Sample:
    path = folder / REFERENCE
    if not path.is_file():
        raise ArtifactError(f"{folder} holds no {REFERENCE}; the release was made without an evaluation")
    sample = sample_of(_sound(path))
    blank = {name: np.full(len(sample), np.nan) for name in (*PHOTOS, BYTES_PER_PIXEL)}
    return replace(sample, numbers={**sample.numbers, **blank})


def _early(folder: Path) -> tuple[Sample, EarlyNote] | None:
    path = folder / EARLY
    if not path.is_file():
        return None
    table = _sound(path)
    note = (table.schema.metadata or {}).get(_NOTE)
    if note is None:
        raise ArtifactError(f"{path} does not say when it was kept; remove it and it is kept anew")
    return sample_of(table), EarlyNote.model_validate_json(note)


def _sound(path: Path) -> pa.Table:
    table = pq.read_table(path)
    if missing := set(REFERENCE_SCHEMA.names) - set(table.column_names):
        raise ArtifactError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    if not all(sound_vectors(table)):
        raise ArtifactError(f"{path} holds vectors that are missing or not numbers; evaluate and release again")
    return table


def _thinned(sample: Sample, most: int, seed: int) -> Sample:
    if len(sample) <= most:
        return sample
    return sample.take(np.sort(np.random.default_rng(seed).choice(len(sample), most, replace=False)))
