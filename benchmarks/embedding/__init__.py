"""The embedding experiment: what mining, several tasks and hard negatives are each worth on one budget.

`python -m benchmarks.embedding --help`. The files follow the flow: what is compared (`arms`, `settings`), one run
(`labels`, `run`), all runs side by side (`schedule`), measuring them (`pixels`, `measure`, `robustness`, `ceiling`),
and telling it (`intervals`, `figures`, `tables`, `plots`, `report`).
"""
