"""Weights of tasks that are learnt beside the network instead of being tuned by hand."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

SQUARED_ERRORS = ("reconstruction",)
"""Tasks whose loss is a squared error: the likelihood of a normal distribution instead of a softmax."""


class UncertaintyWeighting(nn.Module):
    """A log variance s per task (Kendall, Gal & Cipolla 2018, section 3.2, equations 7 and 10).

    A squared error L costs exp(-s) L / 2 + s / 2 and a cross-entropy exp(-s) L + s / 2. Ranking losses have no
    likelihood of their own; as energies of a Boltzmann distribution they are scaled like a cross-entropy, whose
    scale is a temperature too. At the least cost either kind weighs 1 / (2 L): an unsure task counts for less.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.log_variances = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in tasks})

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The scalar cost of the tasks' losses."""
        terms = [self.weight(task) * losses[task] + 0.5 * s for task, s in self.log_variances.items()]
        return torch.stack(terms).sum()

    def weight(self, task: str) -> Tensor:
        """What a task's loss is multiplied by, always positive."""
        precision = torch.exp(-self.log_variances[task])
        return 0.5 * precision if task in SQUARED_ERRORS else precision
