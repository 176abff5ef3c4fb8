"""Triplets from a click log equal what the recipe says, one search at a time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import MiningError
from lookalike.mining.clicks import mine_clicks
from lookalike.mining.settings import MiningSettings
from tests.mining.naive import steadily
from tests.mining.test_hard import drawn_vectors

COUNT = 14
IDS = np.array([f"p{number}" for number in range(COUNT)], object)
GROUPS = np.array([0, 0, 1, 1, *[-1] * (COUNT - 4)])
VECTORS = drawn_vectors(COUNT, 4, dimension=3)

row = st.tuples(
    st.sampled_from(["p0", "p1", "p5/0", "p6/-1", "stranger", "p9"]),
    st.sampled_from([*IDS, "sold out"]),
    st.integers(0, 9),
    st.booleans(),
    st.sampled_from(["2026-11-01", "2026-11-02"]),
)


def click_log(rows: list[tuple[str, str, int, bool, str]]) -> pd.DataFrame:
    log = pd.DataFrame(rows, columns=["query", "product_id", "position", "clicked", "when"])
    return log.astype({"clicked": bool, "position": "int64"}).assign(when=pd.to_datetime(log["when"]))


def naive_triplets(log: pd.DataFrame, chosen: MiningSettings) -> list[tuple[int, int, int]]:
    triplets, known = [], list(IDS)
    for (query, _), rows in log.groupby(["query", "when"]):
        product = query if query in known else query.rpartition("/")[0]
        if product not in known:
            continue
        anchor, shown = known.index(product), {}
        for name, position, clicked in zip(rows["product_id"], rows["position"], rows["clicked"], strict=True):
            if name in known and not same(anchor, other := known.index(name)):
                before = shown.get(other, (99, False))
                shown[other] = (min(before[0], position), before[1] or clicked)
        clicked = [other for other, (_, was) in shown.items() if was]
        negatives = [
            (position, other)
            for other, (position, was) in shown.items()
            if not was and all(near(other, some) < chosen.click_negative for some in (anchor, *clicked))
        ]
        for positive in clicked:
            if near(anchor, positive) >= chosen.click_positive:
                above = [pair for pair in sorted(negatives) if pair[0] < shown[positive][0]]
                kept = [other for _, other in above if not same(positive, other)]
                triplets += [(anchor, positive, other) for other in kept[: chosen.triplets_per_click]]
    return sorted(triplets)


def same(one: int, other: int) -> bool:
    return one == other or (GROUPS[one] >= 0 and GROUPS[one] == GROUPS[other])


def near(one: int, other: int) -> float:
    return float(np.einsum("d,d->", VECTORS[one], VECTORS[other]))


@steadily
@given(
    rows=st.lists(row, min_size=1, max_size=60),
    positive=st.sampled_from([-1.0, 0.0, 0.5]),
    negative=st.sampled_from([0.3, 0.9, 1.0]),
    most=st.integers(1, 3),
)
def test_click_triplets_equal_a_naive_loop(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, bool, str]],
    positive: float,
    negative: float,
    most: int,
) -> None:
    chosen = MiningSettings(click_positive=positive, click_negative=negative, triplets_per_click=most)
    log, path = click_log(rows), tmp_path_factory.mktemp("clicks") / "clicks.parquet"
    log.to_parquet(path)
    triplets, figures = mine_clicks(path, IDS, VECTORS, GROUPS, chosen)
    found = sorted(zip(triplets.anchor, triplets.positive, triplets.negative, strict=True))
    assert found == naive_triplets(log, chosen)
    assert (triplets.positive_level == 1).all()
    assert (triplets.negative_level == 0).all()
    assert figures["click_rows"] == len(rows)
    assert figures["click_triplets"] == len(found)


def test_a_passed_over_product_near_a_clicked_one_is_no_negative(tmp_path: Path) -> None:
    vectors = np.float32([[1, 0], [0.8, 0.6], [0.79, 0.613], [-1, 0]])
    shown = enumerate(("p2", "p3", "p1"))
    log = click_log([("p0", product, place, product == "p1", "2026-11-01") for place, product in shown])
    log.to_parquet(tmp_path / "clicks.parquet")
    triplets, _ = mine_clicks(tmp_path / "clicks.parquet", IDS[:4], vectors, np.full(4, -1), MiningSettings())
    assert (triplets.anchor.tolist(), triplets.positive.tolist(), triplets.negative.tolist()) == ([0], [1], [3])


def test_what_stands_below_a_click_was_perhaps_never_seen_and_is_no_negative(tmp_path: Path) -> None:
    vectors = np.float32([[1, 0], [0.8, 0.6], [-0.8, 0.6], [-1, 0]])
    shown = enumerate(("p2", "p1", "p3"))
    log = click_log([("p0", product, place, product == "p1", "2026-11-01") for place, product in shown])
    log.to_parquet(tmp_path / "clicks.parquet")
    triplets, _ = mine_clicks(tmp_path / "clicks.parquet", IDS[:4], vectors, np.full(4, -1), MiningSettings())
    assert triplets.negative.tolist() == [2]


def test_a_click_makes_as_many_triplets_as_it_counts(tmp_path: Path) -> None:
    vectors = np.float32([[1, 0], [0.8, 0.6], [-0.8, 0.6], [-1, 0]])
    searches = 400
    days = pd.date_range("2026-01-01", periods=searches, freq="h").astype(str)
    rows = [("p0", product, place, product == "p1", day) for day in days for place, product in enumerate(("p2", "p1"))]
    log = click_log(rows).assign(weight=np.repeat(np.where(np.arange(searches) % 2, 3.0, 1.0), 2))
    log.to_parquet(tmp_path / "clicks.parquet")
    mined, _ = mine_clicks(tmp_path / "clicks.parquet", IDS[:4], vectors, np.full(4, -1), MiningSettings())
    assert len(mined) == pytest.approx(searches, rel=0.1)  # weights of 0.5 and 1.5: as many as unweighted
    log.assign(weight=0.0).to_parquet(tmp_path / "clicks.parquet")
    assert not len(mine_clicks(tmp_path / "clicks.parquet", IDS[:4], vectors, np.full(4, -1), MiningSettings())[0])


def test_a_log_of_another_form_is_refused_in_words(tmp_path: Path) -> None:
    log, path = click_log([("p0", "p5", 0, True, "2026-11-01")]), tmp_path / "clicks.parquet"
    log.drop(columns="position").to_parquet(path)
    with pytest.raises(MiningError, match="has no column 'position'; it needs query, product_id, position"):
        mine_clicks(path, IDS, VECTORS, GROUPS, MiningSettings())
    log.astype({"clicked": int}).to_parquet(path)
    with pytest.raises(MiningError, match="is of type int64; it must be true or false"):
        mine_clicks(path, IDS, VECTORS, GROUPS, MiningSettings())
