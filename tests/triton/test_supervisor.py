import gc
import weakref

import numpy as np
import pytest

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, DeadlineExceeded, LookalikeError, QueryError, ReleaseMismatch
from lookalike.search.breaker import Breaker, BreakerSettings
from lookalike.search.guard import Guard
from lookalike.search.guarded import GuardedEmbedder
from serving.triton.admission import FAIR_SECONDS, AdmittedEmbedder
from serving.triton.metrics import TritonMetrics
from serving.triton.reload import NotNow
from serving.triton.supervisor import ELSEWHERE, FAILED, HEALED, SupervisionSettings, Supervisor
from tests.triton.twin import ReloadTwin, ServedTwin

DEAD = BackendUnavailable("stub process is not healthy")
LATE = DeadlineExceeded("not within 5 s")
WRONG = ReleaseMismatch("golden photos with cosine 0.1")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def served() -> ServedTwin:
    return ServedTwin()


@pytest.fixture
def model(served: ServedTwin) -> AdmittedEmbedder:
    return AdmittedEmbedder(served, "embedder_abc")


@pytest.fixture
def reload(served: ServedTwin) -> ReloadTwin:
    return ReloadTwin(served)


def pixels(served: ServedTwin) -> np.ndarray:
    size = served.identity.preprocessing
    return np.zeros((1, size.height, size.width, 3), dtype=np.uint8)


def supervisor(model: AdmittedEmbedder, reload: ReloadTwin | None, clock: Clock | None = None) -> Supervisor:
    made = Supervisor(reload, SupervisionSettings(patience=3, first_pause_seconds=10), clock or Clock())
    made.watch(model)
    return made


# ---- the gate


def test_an_answer_that_cannot_be_right_closes_the_gate(served: ServedTwin, model: AdmittedEmbedder) -> None:
    served.failure = LookalikeError("answered with shapes (0,) and (0,)")
    with pytest.raises(BackendUnavailable, match=r"an answer of embedder_abc was thrown away: answered with shapes"):
        model.embed(pixels(served))
    served.failure = None
    with pytest.raises(BackendUnavailable, match="embedder_abc is not answering photos now"):
        model.embed(pixels(served))
    model.prove()
    assert len(model.embed(pixels(served)).vectors) == 1


def test_a_failure_closes_the_gate_before_others_queue_behind_it(served: ServedTwin, model: AdmittedEmbedder) -> None:
    served.failure = DEAD
    with pytest.raises(BackendUnavailable, match="not healthy"):
        model.embed(pixels(served))
    assert model.refusal == str(DEAD)


def test_a_late_answer_leaves_the_gate_open_and_wakes_the_supervisor(
    served: ServedTwin, model: AdmittedEmbedder
) -> None:
    suspicions: list[int] = []
    model.on_suspicion = lambda: suspicions.append(1)
    served.failure = LATE
    with pytest.raises(DeadlineExceeded):
        model.embed(pixels(served))
    assert (model.refusal, suspicions) == (None, [1])


@pytest.mark.parametrize(("seconds", "woken"), [(0.9 * FAIR_SECONDS, []), (1.1 * FAIR_SECONDS, [1])])
def test_a_caller_in_a_hurry_wakes_nobody(
    served: ServedTwin, model: AdmittedEmbedder, seconds: float, woken: list[int]
) -> None:
    suspicions: list[int] = []
    model.on_suspicion = lambda: suspicions.append(1)
    served.failure = LATE
    with Deadline.after(seconds, Clock()).in_force(), pytest.raises(DeadlineExceeded):
        model.embed(pixels(served))
    assert suspicions == woken


def test_readmission_is_told_once_and_only_after_a_refusal(served: ServedTwin, model: AdmittedEmbedder) -> None:
    readmitted: list[str | None] = []
    model.on_readmission = lambda: readmitted.append(model.refusal)
    model.prove()
    model.refuse("sick")
    served.while_proving = served.lose_connection
    model.prove()  # proves nothing: the connection was lost meanwhile
    assert readmitted == []
    served.while_proving = lambda: None
    model.prove()
    model.prove()
    assert readmitted == [None]


def test_a_healed_model_is_asked_at_once_where_the_search_had_given_it_up(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    """The clock stands still: no circuit would have closed by itself."""
    breaker = Breaker(BreakerSettings(failures=2), Clock())
    asked = GuardedEmbedder(model, Guard("the model", breaker, 2.0))
    model.on_readmission = breaker.trust
    served.failure = DEAD
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            asked.embed(pixels(served))
    assert breaker.state == "open"
    supervisor(model, reload).look()
    assert len(asked.embed(pixels(served)).vectors) == 1


def test_a_caller_s_mistake_is_no_suspicion(served: ServedTwin, model: AdmittedEmbedder) -> None:
    model.on_suspicion = lambda: pytest.fail("nothing is wrong with the model")
    with pytest.raises(QueryError):
        model.embed(pixels(served)[0])
    assert model.refusal is None


def test_a_lost_connection_closes_the_gate_until_the_golden_photos_were_answered(
    served: ServedTwin, model: AdmittedEmbedder
) -> None:
    served.lose_connection()
    with pytest.raises(BackendUnavailable, match="the connection to Triton was lost"):
        model.embed(pixels(served))
    served.golden_failure = WRONG
    with pytest.raises(ReleaseMismatch):
        model.prove()
    assert model.refusal is not None
    served.golden_failure = None
    model.prove()
    assert model.refusal is None


def test_a_connection_lost_while_proving_proves_nothing(served: ServedTwin, model: AdmittedEmbedder) -> None:
    served.while_proving = served.lose_connection
    model.prove()
    assert model.refusal is not None


def test_a_replaced_model_is_not_kept_alive_by_its_connection(served: ServedTwin) -> None:
    model = AdmittedEmbedder(served, "old")
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    served.lose_connection()  # tells nobody


# ---- the supervisor


def test_a_dead_worker_is_reloaded_and_admitted_again(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    watching = supervisor(model, reload)
    watching.look()
    assert (reload.times, model.refusal) == (0, None)
    served.failure = DEAD
    watching.look()
    assert (reload.times, model.refusal) == (1, None)
    assert watching.reloads == {HEALED: 1, ELSEWHERE: 0, FAILED: 0}


def test_golden_photos_answered_wrongly_are_found_without_any_failing_search(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    served.golden_failure = WRONG
    supervisor(model, reload).look()
    assert (reload.times, model.refusal) == (1, None)


def test_a_busy_model_is_never_reloaded(served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin) -> None:
    """Its golden photos come too late, its shoppers are answered."""
    served.golden_failure = LATE
    served.while_proving = lambda: setattr(model, "answers", model.answers + 1)
    watching = supervisor(model, reload)
    for _ in range(10):
        watching.look()
    assert (reload.times, model.refusal) == (0, None)


def test_a_model_that_answers_nobody_is_reloaded_when_patience_ends(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    served.golden_failure = LATE
    watching = supervisor(model, reload)
    watching.look()
    watching.look()
    assert (reload.times, model.refusal) == (0, None)
    watching.look()
    assert (reload.times, model.refusal) == (1, None)


def test_reloads_that_do_not_help_come_ever_more_rarely(served: ServedTwin, model: AdmittedEmbedder) -> None:
    served.failure = WRONG
    reload, clock = ReloadTwin(served, helps=False), Clock()
    watching = supervisor(model, reload, clock)
    moments = []
    for second in range(100):
        clock.now = second
        before = reload.times
        watching.look()
        moments += [second] * (reload.times - before)
    assert moments == [0, 10, 30, 70]  # pauses of 10, 20, 40
    assert watching.reloads[FAILED] == 4
    assert model.refusal == str(WRONG)


def test_a_triton_that_is_not_there_is_waited_for_without_pauses(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    served.failure, reload.raises = DEAD, NotNow("connection refused")
    watching = supervisor(model, reload)
    for _ in range(50):
        watching.look()
    reload.raises = None
    watching.look()
    assert watching.reloads == {HEALED: 1, ELSEWHERE: 0, FAILED: 0}


def test_where_somebody_else_loads_models_a_sick_one_is_only_refused(
    served: ServedTwin, model: AdmittedEmbedder
) -> None:
    watching = supervisor(model, None)
    served.failure = DEAD
    watching.look()
    assert model.refusal == str(DEAD)
    served.failure = None
    watching.look()
    assert model.refusal is None


def test_a_failing_search_wakes_it_long_before_its_heartbeat(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    watching = Supervisor(reload, SupervisionSettings(heartbeat_seconds=3600, retry_seconds=0.01))
    watching.watch(model)
    watching.start()
    try:
        served.failure = DEAD
        with pytest.raises(BackendUnavailable):
            model.embed(pixels(served))
        assert reload.done.wait(20)
    finally:
        watching.close()


def test_its_figures_say_who_is_admitted_and_what_it_took(
    served: ServedTwin, model: AdmittedEmbedder, reload: ReloadTwin
) -> None:
    watching = supervisor(model, reload)
    served.failure = DEAD
    watching.look()
    served.lose_connection()
    admitted, reloads = TritonMetrics(watching.supervision).collect()
    assert [(sample.labels, sample.value) for sample in admitted.samples] == [({"model": "embedder_abc"}, 0)]
    assert {sample.labels["outcome"]: sample.value for sample in reloads.samples} == {
        HEALED: 1,
        ELSEWHERE: 0,
        FAILED: 0,
    }
