"""One part of the search behind a time limit and a circuit breaker of its own."""

from collections.abc import Callable
from typing import TypeVar

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, DeadlineExceeded, LookalikeError
from lookalike.search.breaker import Breaker, Verdict

Answer = TypeVar("Answer")

FAIR_SHARE = 0.5
"""A call that its caller cut short speaks against the part only after this share of the part's own time."""


class Guard:
    """Asks a part; calls may come from several threads at once.

    What the part raises stays what it is, except that an outage says no more to strangers than the part's name,
    and that a call cut short by its caller's deadline is that caller's DeadlineExceeded.
    """

    def __init__(self, part: str, breaker: Breaker, seconds: float) -> None:
        """`part` completes the sentence "… does not answer"; `seconds` is the most a call may take that somebody waits
        for. What nobody waits for, such as the first search of a release, takes what it takes."""
        self.part = part
        self.breaker = breaker
        self._seconds = seconds

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """The call's answer. Raises BackendUnavailable at once while the circuit is open, else what the call raises."""
        caller = Deadline.current()
        caller.check(f"asking {self.part}")
        admitted = self.breaker.admit()
        if admitted is None:
            raise self._outage(f"{self.part} failed lately and is not asked now")
        verdict: Verdict = "unknown"
        started = caller.clock()
        mine = caller if caller.endless else caller.tightened(self._seconds)
        try:
            with mine.in_force():
                answer = call()
            verdict = "answered"
            return answer
        except BackendUnavailable as error:
            cut_short = not caller.remaining()
            verdict = self._verdict(cut_short, caller.clock() - started)
            if cut_short:
                raise DeadlineExceeded(str(error)) from error
            failure = error
        except LookalikeError:
            verdict = "answered"  # it refused this call, and well
            raise
        finally:
            self.breaker.report(admitted, verdict)
        raise self._outage(str(failure)) from failure

    def _verdict(self, cut_short: bool, spent: float) -> Verdict:
        return "unknown" if cut_short and spent < FAIR_SHARE * self._seconds else "failed"

    def _outage(self, message: str) -> BackendUnavailable:
        told = f"{self.part} does not answer at the moment; try again later"
        return BackendUnavailable(message, told, max(1.0, self.breaker.retry_after_seconds()))
