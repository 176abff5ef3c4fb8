"""Power against the smallest shifts, beside the best that a fixed threshold of Evidently's could do."""

from collections.abc import Sequence
from typing import Any

from scipy.stats import binomtest

from benchmarks.drift.evidently_scores import DEFAULTS, evidently_scores, is_column, power_at
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.settings import Study
from benchmarks.drift.traffic import SHIFTS, Traffic, World, new_world
from benchmarks.drift.trials import Outcome, collect
from benchmarks.drift.watched import ALPHAS, calibrated, verdict
from benchmarks.results import Figure

PURPOSE = 3
CLEAN = "clean"
GOAL = 0.9
WORDS = {
    "unseen_type": "a tenth of the traffic is of an articleType that neither the reference nor ordinary traffic shows "
    "(a random one of those with 100 products per trial; the model's heads know it, the release's queries do not)",
    "jpeg_quality": "the same kind of photos, saved at JPEG quality 30 instead of 90; the reference holds live photos",
    "season_mix": "Summer's share of the products asked for is halved (48 % to 25 %), Fall's and Winter's grow by half",
}


def measure(plan: Plan) -> Measured:
    """Every trial has a reference of its own, one window without drift and one of each shift."""
    study, traffic = plan.study, plan.traffic()
    asked = study.model_dump(include={"reference", "window", "draws", "seed", "share", "type_rows"})
    ours = collect(
        plan.places.trials("power"), asked, range(study.trials), lambda n: _ours(study, traffic, n), "shifts, our watch"
    )
    theirs = collect(
        plan.places.trials("evidently"),
        asked,
        range(study.evidently_trials),
        lambda n: _theirs(study, traffic, n),
        "shifts, Evidently",
    )
    found = {shift: _compared(ours, theirs, shift) for shift in SHIFTS}
    figures = {f"power_{shift}": _figure(shift, told, len(ours), len(theirs), study) for shift, told in found.items()}
    figures |= {f"power_{shift}_1pct": _informing(shift, ours, study) for shift in SHIFTS}
    return Measured(figures, found)


def windows(world: World, study: Study) -> dict[str, Any]:
    """The windows of one trial."""
    shifted = {
        shift: world.window(study.window, place + 1, shift, study.share if shift == "unseen_type" else 1.0)
        for place, shift in enumerate(SHIFTS)
    }
    return {CLEAN: world.window(study.window, 0), **shifted}


def _ours(study: Study, traffic: Traffic, number: int) -> Outcome:
    world = new_world(traffic, study, number, PURPOSE, unseen=True)
    calibration = calibrated(world.reference, study.window, study)
    return {
        name: verdict(calibration, world.reference, window, study) for name, window in windows(world, study).items()
    }


def _theirs(study: Study, traffic: Traffic, number: int) -> Outcome:
    world = new_world(traffic, study, number, PURPOSE, unseen=True)
    return {name: evidently_scores(world.reference, window) for name, window in windows(world, study).items()}


def _compared(ours: Sequence[Outcome], theirs: Sequence[Outcome], shift: str) -> dict[str, Any]:
    """Power of the watch, of its streams alone, and of Evidently's methods, all at a false-alarm rate of 5 %."""
    alpha = ALPHAS["5pct"]
    evidently = {
        method: power_at([one[CLEAN][method] for one in theirs], [one[shift][method] for one in theirs], alpha)
        for method in theirs[0][CLEAN]
    }
    streams = {
        stream: power_at(
            [one[CLEAN]["streams"][stream] for one in ours], [one[shift]["streams"][stream] for one in ours], alpha
        )
        for stream in ours[0][shift]["streams"]
    }
    return {
        "found": sum(one[shift]["5pct"] for one in ours),
        "found_beside": sum(one[shift]["5pct"] for one in ours[: len(theirs)]),
        "trials_beside": len(theirs),
        "defaults": {
            method: [sum(one[name][method] > threshold for one in theirs) for name in (CLEAN, shift)]
            for method, threshold in DEFAULTS.items()
        },
        "trials": len(ours),
        "clean": sum(one[CLEAN]["5pct"] for one in ours),
        "streams": streams,
        "evidently": evidently,
    }


def best(evidently: dict[str, float], columns: bool) -> tuple[str, float]:
    """The method that found most, of single columns or of all others."""
    methods = {name: power for name, power in evidently.items() if is_column(name) == columns}
    return max(methods.items(), key=lambda item: item[1])


def _figure(shift: str, told: dict[str, Any], ours: int, theirs: int, study: Study) -> Figure:
    power, beside = told["found"] / told["trials"], told["found_beside"] / told["trials_beside"]
    interval = binomtest(told["found"], told["trials"]).proportion_ci(method="wilson")
    method, their_power = best(told["evidently"], columns=False)
    column, column_power = best(told["evidently"], columns=True)
    missed = "" if power >= GOAL else "; below the goal: the shift is that small beside the noise of such windows"
    return Figure(
        value=power,
        unit="share",
        how=f"{WORDS[shift]}; found at the stated 5 % in windows of {study.window}, each against a reference of its "
        f"own of {study.reference}; {told['clean']} alarms on the {ours} windows without drift beside them. "
        f"Evidently's best method, {method}, with the fixed threshold that lets 5 % of {theirs} windows without drift "
        f"pass, found {their_power:.2f} of {theirs}, ours {beside:.2f} of the same; the best single column chosen "
        f"afterwards, {column.removeprefix('column:')}, {column_power:.2f}{missed}",
        command=COMMAND,
        goal=f">= {GOAL} at n = 1,000, and >= Evidently's best fixed threshold at an equal false-alarm rate",
        met=power >= GOAL and beside >= their_power,
        interval=(float(interval.low), float(interval.high)),
        n=told["trials"],
    )


def _informing(shift: str, ours: Sequence[Outcome], study: Study) -> Figure:
    found = sum(one[shift]["1pct"] for one in ours)
    interval = binomtest(found, len(ours)).proportion_ci(method="wilson")
    return Figure(
        value=found / len(ours),
        unit="share",
        how=f"{WORDS[shift]}; the same windows of {study.window} at the stated 1 %",
        command=COMMAND,
        interval=(float(interval.low), float(interval.high)),
        n=len(ours),
    )
