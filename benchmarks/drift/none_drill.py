"""The drill without a shift, a thousand windows of it: how many retrains does the watch start for nothing?

Window by window through what ships: the calibrated detector, the rule over several windows and the decision, all at
their defaults. Queries are real; a release's windows share its reference, as in service, and nothing is trained: the
release stays, whatever was started.
"""

from collections.abc import Sequence
from datetime import timedelta

from scipy.stats import chi2, poisson

from benchmarks.drift.days import BEGIN, told
from benchmarks.drift.false_alarms import POOL
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.settings import Study
from benchmarks.drift.traffic import Traffic, apart, new_world
from benchmarks.drift.trials import Outcome, collect
from benchmarks.results import Figure
from monitoring.calibration import calibrate, judge
from monitoring.history import StartedRun, WatchHistory
from monitoring.rules import Decision, Facts, decide
from monitoring.samples import Sample
from monitoring.settings import DecisionSettings, DriftSettings
from monitoring.together import LookBack

PURPOSE = 11
HOURS_OF_A_RETRAIN = 6.0


def measure(plan: Plan) -> Measured:
    """Every trial is a release with a reference of its own and its windows, a day each."""
    study, traffic, settings = plan.study, plan.traffic(), DriftSettings(draws=plan.study.draws)
    asked = {
        "study": study.model_dump(include={"reference", "window", "none_references", "none_windows", "draws", "seed"}),
        "drift": settings.model_dump(mode="json"),
        "decide": DecisionSettings().model_dump(mode="json"),
    }
    releases = collect(
        plan.places.trials("none_drill"),
        asked,
        range(study.none_references),
        lambda number: live(traffic, study, settings, number),
        "the drill without a shift",
    )
    details = {"alarms": [one["alarms"] for one in releases], "retrains": [one["retrains"] for one in releases]}
    return Measured({"none_drill_retrains": _figure(releases, study, settings)}, details)


def live(traffic: Traffic, study: Study, settings: DriftSettings, number: int) -> Outcome:
    """One release's windows: how many drifted, and how many retrains were started."""
    world = new_world(traffic, study, number, PURPOSE, unseen=False)
    calibration, history = calibrate(world.reference, study.window, settings), WatchHistory()
    rules, retrains, verdicts = DecisionSettings(), 0, list[bool]()
    look_back, windows = LookBack(world.reference, settings), list[Sample]()
    for day in range(study.none_windows):
        windows = [*windows, world.window(study.window, day)][-settings.rule.m :]
        score = judge(calibration, world.reference, windows[-1], settings.seed).score
        verdicts.append(score > calibration.threshold)
        believed = settings.rule.after(verdicts, settings.alpha, look_back.judge(apart(windows)))
        result = told(day, f"{number:012d}", believed, settings.alpha)
        decision = decide(result, history, _facts(number, day), rules)
        history = _after(history.seeing(result, rules.calm_windows), decision, day)
        retrains += decision.action == "retrain"
    return {"windows": len(verdicts), "alarms": sum(verdicts), "retrains": retrains}


def _facts(number: int, day: int) -> Facts:
    """The model is new and the catalogue the released one: nothing but drift can ask for a run."""
    return Facts(BEGIN + timedelta(days=day + 1), f"{number:012d}", BEGIN, "catalogue", "catalogue")


def _after(history: WatchHistory, decision: Decision, day: int) -> WatchHistory:
    if decision.run is None:
        return history
    run = StartedRun(
        name=decision.run,
        action=decision.action,
        causes=decision.causes,
        started=BEGIN + timedelta(days=day + 1),
        state="succeeded",
        run_id=decision.run,
        hours=HOURS_OF_A_RETRAIN,
    )
    return history.starting(run)


def _figure(releases: Sequence[Outcome], study: Study, settings: DriftSettings) -> Figure:
    windows, retrains, alarms = (sum(one[name] for one in releases) for name in ("windows", "retrains", "alarms"))
    between, per_thousand = settings.rule.after((), settings.alpha).mean_windows_between_false_alarms, 1000 / windows
    stated = windows / between
    most, (low, high) = int(poisson.ppf(0.975, stated)), _exact(retrains)
    return Figure(
        value=retrains * per_thousand,
        unit="retrains per 1,000 windows",
        how=f"retrains decided: {retrains} in {windows:,} windows of {study.window} queries without a shift, {POOL}: "
        f"{len(releases)} releases with references of {study.reference} other products, {study.none_windows} daily "
        f"windows each, through detector, sequence rule and decision at the shipped settings; {alarms} windows "
        f"drifted alone (stated: {settings.alpha:g} of them). Stated by the sequence rule: once in {between:,.0f} "
        f"windows, so {stated:.2f} here, and at most {most} with 97.5 %. Interval: exact Poisson; nothing is trained, "
        f"so an unlucky reference stays; seed {study.seed}",
        command=COMMAND,
        goal=f"<= {most} in {windows:,} windows, the 97.5 % Poisson point of the stated {stated:.2g}",
        met=retrains <= most,
        interval=(low * per_thousand, high * per_thousand),
        n=windows,
    )


def _exact(count: int) -> tuple[float, float]:
    """95 % interval of a Poisson mean (Garwood 1936)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2
