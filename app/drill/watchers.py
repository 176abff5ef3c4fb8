"""What each watcher says of a window, as one sentence that stands beside the others."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.drill.drilled import Drilled
from app.drill.result import Said
from app.drill.service import BATCH, Traffic
from lookalike import stages
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.errors import ValidationFailed
from lookalike.evaluation.delivery import looks_of
from lookalike.evaluation.new_products import Looks, suspect
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.stages import Settings, settings_for
from monitoring.result import DriftResult

ERRORS, EMPTY = 0.0144, 0.05
"""Thresholds of the alert rules LookalikeErrors and LookalikeEmptyAnswers; a test holds them to the rules' file."""


def alerts_said(traffic: Traffic) -> Said:
    """The service's alert rules on a day's figures: what Prometheus would compute of its counters."""
    failed, answered = traffic.failed / traffic.requests, traffic.requests - traffic.failed
    empty = traffic.empty / answered if answered else 0.0
    fired = []
    if failed > ERRORS:
        fired.append(f"LookalikeErrors: {failed:.1%} of the requests failed")
    if empty > EMPTY:
        fired.append(f"LookalikeEmptyAnswers: {empty:.1%} of the searches found nothing")
    fired += [f"LookalikePartDegraded: {part} has failed" for part in traffic.degraded]
    quiet = f"quiet: {failed:.1%} of the requests failed, {empty:.1%} of the searches found nothing"
    return Said(watcher="alerts", spoke=bool(fired), words="; ".join(fired) or quiet)


def drift_said(result: DriftResult) -> tuple[Said, ...]:
    """The verdict, whether there was traffic enough for one, and what the newest catalogue brings."""
    measured = result.outcome == "measured"
    change = result.catalogue
    words = [] if change is None else change.words
    nothing = "no newer catalogue was looked at" if change is None else "the catalogue is as the release holds it"
    return (
        Said(watcher="drift", spoke=result.drifted, words=result.summary),
        Said(watcher="traffic", spoke=not measured, words=f"{result.n_current} queries were compared"),
        Said(watcher="catalogue", spoke=bool(words), words="; ".join(words) or nothing),
    )


def validation_said(delivery: Path, output: Path, settings: Settings) -> Said:
    """The validate stage on a delivery, told as the watch tells it; it spoke where it refused."""
    try:
        figures = stages.validate(str(delivery), str(output), settings=settings).figures
    except ValidationFailed as error:
        return Said(watcher="validation", spoke=True, words=str(error).split(". The report is in")[0])
    words = (
        f"accepted: {figures['products']} products, {figures['quarantined']} rows quarantined, "
        f"{figures['near_duplicate_products']} products share a picture with another one"
    )
    return Said(watcher="validation", spoke=False, words=words)


def delivery_said(drilled: Drilled, validated: Path, settings: Settings) -> Said:
    """The gate's guard on the delivery's new products, asked of the model in service as the gate would ask it.

    The gate itself asks only once a model was trained on them, and then nothing is promoted until a person looked.
    """
    chosen = settings_for(EvaluationSettings, settings, "evaluate")
    delivered = load_catalogue(validated)
    ids = delivered.products["product_id"]
    new = ~ids.isin(drilled.catalogue.products["product_id"]).to_numpy(bool)
    known = ids.isin(drilled.trained).to_numpy(bool)
    if new.sum() < chosen.suspicion.fewest or not known.any():
        words = (
            f"not judged: {new.sum()} new products and {known.sum()} known ones; {chosen.suspicion.fewest} are needed"
        )
        return Said(watcher="delivery", spoke=False, words=words)
    ours, usual = (_looks(drilled, delivered, some, chosen.suspicion.most) for some in (new, known))
    alarms = suspect(ours, usual, chosen.suspicion).alarms
    quiet = f"the {new.sum()} new products look like products of this shop"
    return Said(watcher="delivery", spoke=bool(alarms), words="; ".join(alarms) or quiet)


def _looks(drilled: Drilled, delivered: Catalogue, chosen: NDArray[np.bool_], most: int) -> Looks:
    return looks_of(drilled.embedder, delivered, np.flatnonzero(chosen)[:most], BATCH)
