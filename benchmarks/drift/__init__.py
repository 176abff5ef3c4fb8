"""What the watch of drift and the gate promise, measured on real queries and real models.

False alarms without drift, power against the smallest shifts beside Evidently's methods, windows until a shift is
believed, retrains for nothing in simulated years, decisions on planted, fresh and poisoned challengers:
`python -m benchmarks.drift --help`.
"""
