"""What the watch of drift promises, measured on real queries.

False alarms without drift, power against the smallest shifts beside Evidently's methods, and windows until it is
believed: `python -m benchmarks.drift --help`.
"""
