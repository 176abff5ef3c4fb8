"""Which way a search goes, decided from how many photos pass its filter; that count is exact and costs no scan.

Comparing with every photo that passes is exact and linear in their number. A graph or inverted lists look at a
fixed number of photos, of which a filter leaves only its share: below some share they would have to look at so many
more that the comparison is cheaper, and below another they find nothing at all. What they look at is counted in
comparisons of whole vectors, so that one rule holds for a thousand photos and for a million: at share p of N photos
a graph looks at ~ 1/p and the comparison at N·p, which meet where ~ sqrt(N) photos pass.
"""

import math

WITNESSES = 3
"""Passing photos that a filtered search must find per neighbour asked for. Where it finds fewer, the filter is rarer
around this query than on the whole: the nearest that pass may lie where the search did not look."""
LOOKED_AT = 2
"""Photos a graph compares with per candidate it keeps: few, since neighbourhoods of products overlap
(`docs/index.md`)."""
CANDIDATE = 20
"""Comparisons of whole vectors that keeping a candidate takes the time of: heaps and far jumps included."""
CODE = 1 / 24
"""Comparisons of whole vectors that scanning a packed product code takes the time of."""
SIGNS = 1 / 8
"""The same of a code of signs."""


def goes_exact(passing: int, exact_rows: float) -> bool:
    """Whether to compare with all passing photos."""
    return passing <= exact_rows


def wide_graph(ef: int, count: int, share: float) -> int:
    """Candidates a graph must keep so that enough of those it looks at pass; `share` is the passing part of all."""
    return max(ef, count, math.ceil(count / LOOKED_AT / share))


def graph_effort(ef: int) -> float:
    """Comparisons that a search of a graph takes the time of."""
    return CANDIDATE * ef


def wide_probes(probes: int, lists: int, share: float) -> int:
    """Inverted lists to scan under a filter: the nearest that pass are spread over more of them, but not 1/share as
    many, since the lists about a query hold far more photos than are asked for."""
    return min(lists, math.ceil(probes / math.sqrt(share)))
