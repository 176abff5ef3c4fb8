"""`drift.html`: one self-contained page, the answer on top and Evidently's report folded at its end.

Evidently's page carries 3.5 MB of script; compressed inside ours it takes less than half, and the browser
unpacks it (DecompressionStream) when a person opens it.
"""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from lookalike.catalog.products import Catalogue
from monitoring.calibration import Calibration
from monitoring.evidently_report import evidently_html
from monitoring.history import WatchHistory, seen_window
from monitoring.page.album import Album
from monitoring.page.examples import Examples, find_examples
from monitoring.page.histogram import histogram
from monitoring.page.nearest import TrainedPhotos, read_trained_photos
from monitoring.page.new_products import NewProducts, new_products
from monitoring.page.timeline import draw_timeline
from monitoring.result import DriftResult
from monitoring.samples import Sample
from monitoring.settings import DriftSettings
from monitoring.windows import Window

SLICES, EXAMPLES = 10, 4
"""Slices of the traffic on the page, and photos beside each."""


@dataclass(frozen=True)
class Known:
    """What the page shows beside the measurement."""

    release: Path
    """The release's folder, which may hold photos the model was trained on."""
    catalogue: Catalogue | None = None
    """The newest validated catalogue: photos come from it alone."""
    history: WatchHistory = field(default_factory=WatchHistory)
    """Earlier windows and runs."""


def write_report(
    path: Path,
    result: DriftResult,
    calibration: Calibration | None,
    reference: Sample,
    window: Window,
    settings: DriftSettings,
    known: Known,
) -> None:
    """Write the page; without a measurement it says so and holds no charts of one."""
    chart, examples, charts = None, None, None
    if calibration is not None and result.score is not None:
        chart = histogram(calibration.null, calibration.threshold, result.score)
        trained = _trained(known, reference)
        examples = find_examples(reference, window.sample, window.told, trained, settings.seed)
        charts = _packed(reference, window.sample, result, result.score, settings)
    change = result.catalogue
    new = new_products(known.catalogue, change) if known.catalogue is not None and change is not None else []
    page = _template().render(
        result=result,
        chart=chart,
        timeline=draw_timeline(known.history.windows, known.history.runs, seen_window(result)),
        examples=examples,
        new_products=new,
        album=_album(known.catalogue, result, examples, new),
        catalogued=known.catalogue is not None,
        evidently=charts,
        report_rows=settings.report_rows,
        slices_shown=SLICES,
        examples_shown=EXAMPLES,
    )
    path.write_text(page, encoding="utf-8")


def _trained(known: Known, reference: Sample) -> TrainedPhotos | None:
    """Without a catalogue nobody can say whether a product is still shown to anyone; its id alone is."""
    trained = read_trained_photos(known.release, reference.vectors.shape[1])
    if trained is not None and known.catalogue is not None:
        trained = trained.still_in(known.catalogue)
    return trained if trained is not None and len(trained) else None


def _album(
    catalogue: Catalogue | None, result: DriftResult, examples: Examples | None, new: Sequence[NewProducts]
) -> Album:
    """Every photo that the page shows."""
    queries = [*examples.new, *examples.usual] if examples is not None else []
    hits = [hit for query in queries if query.told is not None for hit in query.told.hits]
    hits += [hit for part in result.slices[:SLICES] for shown in part.examples[:EXAMPLES] for hit in shown.hits[:1]]
    products = [product for kind in new for product in kind.product_ids]
    return Album.read(catalogue, [*hits, *products], [one.photo_id for query in queries for one in query.neighbours])


def _packed(reference: Sample, current: Sample, result: DriftResult, score: float, settings: DriftSettings) -> str:
    """Evidently's page, as the page's own script unpacks it."""
    inner = evidently_html(
        reference, current, score, result.drifted, settings.report_rows, settings.alpha, settings.seed
    )
    return base64.b64encode(gzip.compress(inner.encode(), mtime=0)).decode()


def _utc(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("monitoring", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["utc"] = _utc
    return environment.get_template("drift.html.jinja")
