"""What supervising a model in Triton came to so far, small enough to be told from process to process."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

OUTCOMES = ("healed", "healed_elsewhere", "failed")


@dataclass(frozen=True)
class Supervision:
    """One supervisor's state, or several ones' together."""

    admitted: dict[str, bool] = field(default_factory=dict)
    """Whether shoppers are admitted, by model; empty before there is one."""
    reloads: Counter[str] = field(default_factory=Counter)
    """Attempts to heal it by their outcome."""

    @classmethod
    def together(cls, states: Sequence["Supervision"]) -> "Supervision":
        """A model is admitted where everybody admits it."""
        names = {name for state in states for name in state.admitted}
        admitted = {name: all(state.admitted.get(name, True) for state in states) for name in sorted(names)}
        return cls(admitted, Counter(outcome for state in states for outcome in state.reloads.elements()))
