"""A run is started once by its name and followed to its end, wherever it runs."""

import pytest

from lookalike.errors import PipelineError
from monitoring.runs.protocol import RunRequest
from tests.pipelines.places import REFRESH, Place, ended, request


def test_a_started_run_is_found_by_its_name_and_is_under_way(place: Place) -> None:
    assert place.trigger.find("refresh-1") is None
    run_id = place.trigger.start(request())
    assert place.trigger.find("refresh-1") == run_id
    assert place.trigger.state(run_id).phase == "running"


def test_asking_again_for_a_name_starts_nothing(place: Place) -> None:
    first = place.trigger.start(request())
    assert place.trigger.start(request()) == first
    assert place.again().start(request()) == first
    assert place.count() == 1
    assert place.trigger.start(request("refresh-2")) != first
    assert place.count() == 2


@pytest.mark.parametrize(("phase", "reason"), [("succeeded", ""), ("failed", "told to fail")])
def test_an_ended_run_says_how_and_how_long_it_took(place: Place, phase: str, reason: str) -> None:
    run_id = place.trigger.start(request())
    place.end("refresh-1", phase)
    assert ended(place.again(), "refresh-1").phase == phase
    state = place.trigger.state(run_id)
    assert (state.phase, state.reason, state.hours) == (phase, reason, 0.5)
    assert place.trigger.start(request()) == run_id, "an ended run keeps its name"


def test_an_id_nobody_knows_is_refused(place: Place) -> None:
    with pytest.raises(PipelineError, match="run-99"):
        place.trigger.state("run-99")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({**REFRESH, "catalog": "c"}, "takes no 'catalog'; did you mean 'catalogue'"),
        ({"catalogue": "c"}, r"needs \['workspace'\]"),
        ({**REFRESH, "limit": "all"}, "takes 'limit' as NUMBER_INTEGER, not 'all'"),
        ({**REFRESH, "limit": True}, "takes 'limit' as NUMBER_INTEGER, not True"),
        ({**REFRESH, "settings": "{}"}, "takes 'settings' as STRUCT, not '{}'"),
    ],
)
def test_arguments_that_do_not_fit_the_compiled_pipeline_start_nothing(
    place: Place, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PipelineError, match=sentence):
        place.trigger.start(RunRequest("refresh-1", "refresh_index", arguments))
    assert place.count() == 0


def test_a_pipeline_that_was_not_compiled_is_refused(place: Place) -> None:
    with pytest.raises(PipelineError, match=r"no pipeline 'trianing'.*'training'"):
        place.trigger.start(RunRequest("x", "trianing", {}))
