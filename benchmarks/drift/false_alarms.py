"""False alarms on windows without drift: each against a reference of its own, and many against a shared one."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.traffic import Traffic, new_world
from benchmarks.drift.trials import Outcome, collect
from benchmarks.drift.watched import ALPHAS, calibrated, verdict
from benchmarks.results import Figure
from lookalike.evaluation.bootstrap import draw_resamples, estimate_mean

OWN, SHARED = 1, 2
"""Purposes of worlds: their draws are disjoint streams of random numbers."""
POOL = (
    "photos of test and validation products (the model never trained on them), damaged by the evaluation's own mix, "
    "embedded by the trained model"
)


def measure(plan: Plan) -> Measured:
    """A window and the reference that calibrates it share no product; every window has a reference of its own, so
    windows are independent and the binomial bounds apply."""
    study, traffic = plan.study, plan.traffic()
    numbers = range(study.clean_windows * len(study.sizes))
    asked = study.model_dump(include={"reference", "sizes", "draws", "seed"})
    found = collect(plan.places.trials("clean"), asked, numbers, lambda number: _own(plan, traffic, number), "clean")
    figures = {f"false_alarm_{name}": _figure(found, name, alpha, plan) for name, alpha in ALPHAS.items()}
    details = {
        "by_size": [
            {"size": size, "windows": len(own), **{name: sum(one[name] for one in own) for name in ALPHAS}}
            for size in study.sizes
            if (own := [one for one in found if one["size"] == size])
        ],
        "ranks": sorted(one["rank"] for one in found),
    }
    return Measured(figures, details)


def measure_shared(plan: Plan) -> Measured:
    """In service all windows of a release share one reference: the rate holds over releases, alarms come in company."""
    study, traffic = plan.study, plan.traffic()
    asked = study.model_dump(include={"reference", "window", "shared_windows", "draws", "seed"})
    found = collect(
        plan.places.trials("shared"),
        asked,
        range(study.shared_references),
        lambda number: _shared(plan, traffic, number),
        "shared references",
    )
    return Measured({f"false_alarm_shared_{name}": _shared_figure(found, name, plan) for name in ALPHAS})


def _own(plan: Plan, traffic: Traffic, number: int) -> Outcome:
    size = plan.study.sizes[number % len(plan.study.sizes)]
    world = new_world(traffic, plan.study, number, OWN, unseen=False)
    calibration = calibrated(world.reference, size, plan.study)
    return {"size": size, **verdict(calibration, world.reference, world.window(size, 0), plan.study)}


def _shared(plan: Plan, traffic: Traffic, number: int) -> Outcome:
    study = plan.study
    world = new_world(traffic, study, number, SHARED, unseen=False)
    calibration = calibrated(world.reference, study.window, study)
    said = [
        verdict(calibration, world.reference, world.window(study.window, day), study)
        for day in range(study.shared_windows)
    ]
    return {name: [one[name] for one in said] for name in ALPHAS}


def _figure(found: Sequence[Outcome], name: str, alpha: float, plan: Plan) -> Figure:
    alarms, n = sum(one[name] for one in found), len(found)
    low, high = (int(bound) for bound in binom.interval(0.95, n, alpha))
    return Figure(
        value=alarms / n,
        unit="share",
        how=f"{alarms} alarms in {n} windows of {', '.join(map(str, plan.study.sizes))} queries, {POOL}; every window "
        f"against a reference of its own of {plan.study.reference} other products, calibrated on that reference alone "
        f"with {plan.study.draws} cuts; interval: 95 % binomial bounds of the stated {alpha:.0%}; "
        f"seed {plan.study.seed}",
        command=COMMAND,
        goal=f"within the 95 % binomial bounds of {alpha:g}, >= 400 windows",
        met=low <= alarms <= high and n >= 400,
        interval=(low / n, high / n),
        n=n,
    )


def _shared_figure(found: Sequence[Outcome], name: str, plan: Plan) -> Figure:
    values = np.array([one[name] for one in found], dtype=float)  # (references, windows)
    clusters = np.repeat(np.arange(len(values)), values.shape[1])
    estimate = estimate_mean(values.ravel(), draw_resamples(clusters, 1_000, 0.95, plan.study.seed))
    worst = values.mean(axis=1).max()
    return Figure(
        value=float(values.mean()),
        unit="share",
        how=f"{len(values)} references of {plan.study.reference} products, {values.shape[1]} windows of "
        f"{plan.study.window} against each; interval by bootstrap over references; the worst reference raised "
        f"{worst:.0%}: windows that share a reference are not independent",
        command=COMMAND,
        interval=estimate.interval,
        n=values.size,
    )
