"""One script per claim: each prints a table and keeps its figures in `benchmarks/results`."""
