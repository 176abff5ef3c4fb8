"""The evaluation's report for people: one HTML file that needs nothing else."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from lookalike.evaluation.figures import EVERYTHING, HEADLINE, Figure
from lookalike.evaluation.gate import Promotion
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.settings import EvaluationSettings


@dataclass(frozen=True)
class Plot:
    """One drawing of the report."""

    title: str
    svg: str
    caption: str


def render_report(
    models: dict[str, Evaluation],
    figures: Sequence[Figure],
    promotion: Promotion,
    plots: Sequence[Plot],
    sheet: bytes,
    settings: EvaluationSettings,
) -> str:
    """HTML with every figure; `models` has the challenger first, `sheet` is the contact sheet as PNG."""
    challenger = models["challenger"]
    page = Environment(
        loader=PackageLoader("lookalike.evaluation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html.jinja")
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    return page.render(
        model=challenger.identity.fingerprint,
        others={name: other.identity.fingerprint for name, other in models.items() if other is not challenger},
        gallery_photos=challenger.gallery_photos,
        all_photos=challenger.all_photos,
        split=settings.split,
        seed=settings.seed,
        confidence=settings.confidence,
        repeats=settings.repeats,
        promotion=promotion,
        subjects=subjects,
        headline=_headline(figures, subjects),
        plots=plots,
        sheet=base64.b64encode(sheet).decode(),
        by_subject={name: list(group) for name, group in groupby(figures, key=lambda figure: figure.subject)},
        number=_number,
    )


def _headline(figures: Sequence[Figure], subjects: Sequence[str]) -> list[dict[str, object]]:
    """One row per query set and headline metric, with one figure (or None) per subject."""
    found = {
        (figure.queries, figure.metric, figure.subject): figure
        for figure in figures
        if figure.metric in HEADLINE and figure.slice == EVERYTHING and ":" not in figure.queries
    }
    rows = dict.fromkeys((queries, metric) for queries, metric, _ in found)
    return [
        {"queries": queries, "metric": metric, "figures": [found.get((queries, metric, name)) for name in subjects]}
        for queries, metric in rows
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
