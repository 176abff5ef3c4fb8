"""The index study: how fast, how complete and how large each way to search is, on real vectors and a million grown.

`python -m benchmarks.index --help`. The files follow the flow: what is studied (`settings`, `places`, `plan`), the
vectors (`real`, `grown`), the collections over them (`built`), one file per claim (`ratios`, `filters`, `speed`,
`binary`, `freshness`, `weights`, `lifecycle`, `kills`), and telling it (`steps`, `tables`, `plots`, `report`).
"""
