"""Random filters mean the same to every index, and that is what a plain loop makes of them."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookalike.index.filter_input import parse_where
from lookalike.index.protocol import GalleryBatch, VectorIndex
from tests.index.shop import FIELDS, VALUES, axis, every_value

one_value = st.sampled_from(VALUES)
bounds = st.lists(one_value, min_size=1, max_size=2).map(sorted)
ranges = bounds.map(lambda pair: {"from": pair[0], "to": pair[-1]}) | st.one_of(
    st.fixed_dictionaries({"from": one_value}), st.fixed_dictionaries({"to": one_value})
)
positive = st.one_of(
    st.fixed_dictionaries({"in": st.lists(one_value, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"equals": one_value}),
    st.fixed_dictionaries({"range": ranges}),
    st.fixed_dictionaries({"missing": st.booleans()}),
)
conditions = positive | st.fixed_dictionaries({"not_in": st.lists(one_value, min_size=1, max_size=2)})
negated = st.sampled_from(VALUES).map(lambda value: {"not": {"equals": value}}) | ranges.map(
    lambda pair: {"not": {"range": pair}}
)
filters = st.dictionaries(st.sampled_from(FIELDS), conditions | negated, max_size=2)


JUDGES: dict[str, Callable[[str | None, Any], bool]] = {
    "in": lambda held, wanted: held in wanted,
    "equals": lambda held, wanted: held == wanted,
    "not_in": lambda held, wanted: held not in wanted,
    "missing": lambda held, wanted: (held is None) == wanted,
    "range": lambda held, wanted: (
        held is not None and wanted.get("from", held) <= held and held <= wanted.get("to", held)
    ),
    "not": lambda held, inner: not any(JUDGES[name](held, wanted) for name, wanted in inner.items()),
}


def naive(batch: GalleryBatch, asked: dict[str, dict[str, Any]]) -> list[str]:
    """Photo ids in stored order, which is their order by score."""
    return [
        photo
        for row, photo in enumerate(batch.photo_ids)
        if all(JUDGES[name](batch.fields[f][row], w) for f, ops in asked.items() for name, w in ops.items())
    ]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(asked=filters)
def test_a_filter_keeps_what_a_plain_loop_keeps(filled: VectorIndex, asked: dict[str, Any]) -> None:
    (hits,) = filled.search("shoes", axis(0), 50, parse_where(asked))
    assert [hit.photo_id for hit in hits] == naive(every_value(), asked)
