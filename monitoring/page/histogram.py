"""The scores without drift, and where the window's is among them."""

from typing import Any

import numpy as np

BINS = 40
WIDTH, HEIGHT = 640, 160
"""Pixels."""


def histogram(null: list[float], threshold: float, score: float) -> dict[str, Any]:
    """Bars and marks, in pixels, of the scores without drift with the threshold and the measured score."""
    low, high = min(*null, score), max(*null, score, threshold)
    room = (high - low) * 0.05 or 1.0
    edges = np.linspace(low - room, high + room, BINS + 1)
    counts = np.histogram(null, edges)[0]

    def across(value: float) -> float:
        return round(float((value - edges[0]) / (edges[-1] - edges[0]) * WIDTH), 1)

    width, tallest = round(WIDTH / BINS - 1, 1), counts.max()
    bars = [
        {"x": across(left), "width": width, "height": round(float(count / tallest * HEIGHT), 1)}
        for left, count in zip(edges[:-1], counts, strict=True)
        if count
    ]
    return {"bars": bars, "threshold": across(threshold), "score": across(score), "width": WIDTH, "height": HEIGHT}
