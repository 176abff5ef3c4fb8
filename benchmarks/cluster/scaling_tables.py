"""The tables of docs/training-at-scale.md, from the committed figures."""

from benchmarks.cluster.scaling_model import ASSUMED, Network, StepModel
from benchmarks.pages import NOT_YET, Details, Figures, Tables, number, span, table

PREFIX = "train_scaling_"
PROCESSES = (1, 2, 4, 8, 16, 32, 64)
LARGE = 1536
"""Photos in a batch large enough to be divided by 64."""


def model_of(figures: Figures) -> StepModel:
    """As the figures say. Raises KeyError before they are there."""
    of = {key.removeprefix(PREFIX): float(told["value"]) for key, told in figures.items() if key.startswith(PREFIX)}
    return StepModel(
        int(of["batch"]),
        of["divided_ms"] / 1e3,
        of["undivided_ms"] / 1e3,
        of["gradient_bytes"],
        of["encoding_bytes"],
    )


def network_here(figures: Figures) -> Network:
    """Loopback, as measured."""
    bandwidth, latency = (float(figures[PREFIX + key]["value"]) for key in ("bandwidth", "latency_us"))
    return Network("loopback, as measured here", bandwidth, latency / 1e6)


def measured(figures: Figures, _details: Details) -> str:
    rows = [
        [f"`{key}`", number(told["value"]), told["unit"], span(told["interval"]), told["how"].partition(";")[0]]
        for key, told in figures.items()
        if key.startswith(PREFIX)
    ]
    return table(["figure", "value", "unit", "95 % interval", "what"], rows)


def modelled(figures: Figures, _details: Details) -> str:
    """Speed-up and efficiency by the formula, per network and batch."""
    if f"{PREFIX}batch" not in figures:
        return NOT_YET
    model, networks = model_of(figures), (network_here(figures), *ASSUMED)
    columns = [(each, network) for each in (model, model.with_batch(LARGE)) for network in networks[1:]]
    head = ["P", f"B = {model.batch}, {networks[0].name}", *(f"B = {m.batch}, {n.name}" for m, n in columns)]
    rows = [[p, *(_cell(m, n, p) for m, n in [(model, networks[0]), *columns])] for p in PROCESSES]
    return table(head, rows)


def _cell(model: StepModel, network: Network, processes: int) -> str:
    gained = model.speedup(processes, network)
    return f"{gained:.1f} ({gained / processes:.0%})"


TABLES: Tables = {"measured": measured, "modelled": modelled}
