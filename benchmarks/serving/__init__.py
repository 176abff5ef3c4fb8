"""The service study: what the service adds to its parts, how fast it answers, and what it does when they fail.

`python -m benchmarks.serving --help`. The files follow the flow: what is studied (`settings`, `places`, `plan`), the
shops that are served (`models`, `shop`, `million`, `uploads`), the service in a process of its own (`service`,
`served`), those who ask it (`connection`, `load`, `open_loop`, `protocols`), one file per claim (`overhead`, `latency`,
`throughput`, `overload`, `swaps`, `soak`), and telling it (`steps`, `tables`, `report`).
"""
