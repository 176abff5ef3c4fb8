"""From a calibrated score to findings: the verdict, stream by stream, slice by slice, and over several windows."""

from typing import Any

from lookalike.catalog.products import Catalogue
from monitoring.calibration import Calibration, Judged, judge
from monitoring.catalogue import vertical_by_value
from monitoring.earlier import Beside
from monitoring.samples import Sample
from monitoring.settings import DriftSettings
from monitoring.slices import changed_slices, verticals_of
from monitoring.streams import NEVER_SEEN, TESTS, StreamResult, change, family_of
from monitoring.together import LookBack
from monitoring.windows import Window


def weigh(
    calibration: Calibration,
    reference: Sample,
    window: Window,
    beside: Beside,
    settings: DriftSettings,
) -> dict[str, Any]:
    """The measured fields of a DriftResult."""
    judged = judge(calibration, reference, window.sample, settings.seed)
    drifted = judged.score > calibration.threshold
    return {
        "drifted": drifted,
        "summary": _summary(judged, calibration, drifted),
        "score": judged.score,
        "threshold": calibration.threshold,
        "rank": calibration.rank(judged.score),
        "false_alarm_rate": calibration.false_alarm_rate,
        "false_alarm_interval": calibration.false_alarm_interval,
        "families": judged.families,
        "streams": stream_results(calibration, judged, reference, window.sample),
        "slices": changed_slices(
            reference, window.sample, _verticals(beside.catalogue, reference, window.sample), window.told
        ),
        "sequence": settings.rule.after(
            [*beside.verdicts, drifted], settings.alpha, LookBack(reference, settings).judge(beside.windows)
        ),
    }


def stream_results(calibration: Calibration, judged: Judged, reference: Sample, current: Sample) -> list[StreamResult]:
    """Every compared stream, the ones that moved first, the most surprising first."""
    found = []
    for name, surprise in sorted(judged.streams.items(), key=lambda item: (-item[1], item[0])):
        statistic, words = change(reference, current, name)
        adjusted = calibration.stream_rank(surprise)
        found.append(
            StreamResult(
                name=name,
                family=family_of(name, reference),
                test=NEVER_SEEN if name in calibration.constant else TESTS[type_of(name, reference)],
                statistic=statistic,
                p_value=10**-surprise,
                p_adjusted=adjusted,
                moved=adjusted <= calibration.alpha,
                words=words,
            )
        )
    return found


def type_of(name: str, reference: Sample) -> str:
    """`labels`, `numbers`, or the name of a view of the vectors."""
    return "labels" if name in reference.labels else "numbers" if name in reference.numbers else name


def _verticals(catalogue: Catalogue | None, reference: Sample, current: Sample) -> Any:
    told = None if catalogue is None else vertical_by_value(catalogue, [*reference.labels])
    if told is None or told[0] not in current.labels:
        return None
    return verticals_of(reference.labels[told[0]], told[1]), verticals_of(current.labels[told[0]], told[1])


def _summary(judged: Judged, calibration: Calibration, drifted: bool) -> str:
    verdict = "The queries drifted" if drifted else "No drift"
    most = max(judged.families, key=lambda name: judged.families[name])
    if judged.score > judged.families[most]:  # a value never seen before surprises more than any family
        new = [name for name in calibration.constant if name in judged.streams]
        most = max(new, key=lambda name: judged.streams[name])
    return (
        f"{verdict}: surprise {judged.score:.3g} ({most}) against the threshold {calibration.threshold:.3g} "
        f"(false-alarm rate {calibration.alpha:g}), {calibration.n_window} queries, "
        f"{calibration.n_reference} reference rows."
    )
