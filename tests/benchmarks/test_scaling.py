"""The formula for more processes, at points where its answer is known, and the page that shows it."""

from pathlib import Path

import pytest

from benchmarks.cluster.scaling_model import ASSUMED, Network, StepModel
from benchmarks.cluster.scaling_tables import TABLES
from benchmarks.pages import fill
from benchmarks.results import RESULTS
from lookalike.storage import read_json

MODEL = StepModel(batch=96, divided_seconds=0.9, undivided_seconds=0.1, gradient_bytes=4e6, encoding_bytes=1e6)
FREE = Network("free", float("inf"), 0.0)


def test_one_process_exchanges_nothing() -> None:
    for network in ASSUMED:
        assert MODEL.seconds(1, network) == pytest.approx(1.0)


def test_over_a_free_network_only_the_undivided_part_limits() -> None:
    assert MODEL.speedup(2, FREE) == pytest.approx(1 / 0.55)  # Amdahl
    assert MODEL.speedup(10**9, FREE) < 10
    assert MODEL.seconds(96, FREE) == MODEL.seconds(200, FREE)  # a photo is not divided


def test_two_processes_send_one_another_half_of_everything_twice_or_once() -> None:
    network = Network("slow", 1e6, 0.01)
    gradients, encodings, messages = 2 / 2 * 4e6 / 1e6, 1 / 2 * 1e6 / 1e6, 5 * 0.01
    assert MODEL.seconds(2, network) == pytest.approx(0.55 + gradients + encodings + messages)


@pytest.mark.parametrize("network", ASSUMED, ids=lambda network: network.name)
def test_efficiency_never_rises_with_processes(network: Network) -> None:
    shares = [MODEL.speedup(processes, network) / processes for processes in (1, 2, 4, 8, 16, 32)]
    assert shares == sorted(shares, reverse=True)


def test_the_page_is_made_of_the_committed_figures() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training-at-scale.md").read_text(encoding="utf-8")
    assert fill(page, read_json(RESULTS / "cluster.json")["figures"], {}, TABLES) == page
