"""Which way a search goes, decided from how many photos pass its filter; that count is exact and costs no scan.

Comparing with every photo that passes is exact and linear in their number. A graph or inverted lists look at a
fixed number of photos, of which a filter leaves only its share: below some share they would have to look at so many
more that the comparison is cheaper, and below another they find nothing at all.
"""

import math

SLACK = 3.0
"""Photos that pass, expected among those a graph looks at, per neighbour asked for."""


def goes_exact(passing: int, exact_rows: int) -> bool:
    """Whether to compare with all passing photos."""
    return passing <= exact_rows


def wide_graph(ef: int, count: int, share: float) -> int:
    """Candidates a graph must look at so that enough of them pass; `share` is the passing part of all photos."""
    return max(ef, math.ceil(SLACK * count / share))


def wide_probes(probes: int, lists: int, share: float) -> int:
    """Inverted lists to scan so that as many passing photos are seen as a search without filter sees."""
    return min(lists, math.ceil(probes / share))
