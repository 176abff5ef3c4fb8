"""The drills by name: what changes, which watcher should say so, and which runs should be started."""

from dataclasses import dataclass
from typing import Literal

from lookalike.damage.profiles import SENT_AS_QUALITY
from lookalike.errors import ConfigError
from monitoring.history import Action

Watcher = Literal["drift", "traffic", "alerts", "catalogue", "validation", "delivery"]
"""The drift watch, its count of the queries, the service's alert rules, the comparison of the catalogue with the
release, the validate stage, and the gate's guard against poisoned deliveries."""
Delivery = Literal["purged", "poisoned"]


@dataclass(frozen=True)
class Shift:
    """What differs from ordinary traffic; the defaults change nothing."""

    damage: str = "none"
    """Damage profile that every photo suffers besides the ordinary one."""
    quality: int = SENT_AS_QUALITY
    """JPEG quality that photos are sent at."""
    season: float = 1.0
    """How often the commonest season is asked for, times as often as before."""
    newcomers: float = 0.0
    """Share of the queries that ask for a vertical which the drill's release does not know."""
    delivery: Delivery | None = None
    """What becomes of the catalogue that is delivered."""
    silent: bool = False
    """Whether the model answers nobody."""
    windows: int | None = None
    """How many windows it lasts; None to the end."""


ORDINARY = Shift()


@dataclass(frozen=True)
class Scenario:
    """One drill."""

    name: str
    sentence: str
    """What happens, for a person."""
    shift: Shift
    speaks: tuple[Watcher, ...] = ()
    """Watchers that should speak while it lasts."""
    starts: tuple[Action, ...] = ()
    """Runs that should be started."""
    may_start: tuple[Action, ...] = ()
    """Runs that may be started besides."""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("none", "ordinary traffic to the end: nothing may be started", ORDINARY),
        Scenario(
            "season",
            "a new season mix: the commonest season is asked for a quarter as often",
            Shift(season=0.25),
            speaks=("drift",),
            starts=("retrain",),
        ),
        Scenario(
            "vertical",
            "a fifth of the queries is for a vertical that the release was kept from, and the catalogue brings it",
            Shift(newcomers=0.2),
            speaks=("drift", "catalogue"),
            starts=("retrain",),
            may_start=("reindex",),
        ),
        Scenario(
            "compression",
            "photos arrive at JPEG quality 30, as a messenger sends them",
            Shift(quality=30),
            speaks=("drift",),
            starts=("retrain",),
        ),
        Scenario(
            "colour",
            "every photo has a colour cast",
            Shift(damage="colour_cast"),
            speaks=("drift",),
            starts=("retrain",),
        ),
        Scenario(
            "camera",
            "a new camera: warm light, compressed twice",
            Shift(damage="new_camera"),
            speaks=("drift",),
            starts=("retrain",),
        ),
        Scenario(
            "purge",
            "the catalogue is delivered without seven tenths of its products",
            Shift(delivery="purged"),
            speaks=("catalogue",),
        ),
        Scenario(
            "poison",
            "the catalogue is delivered with a flood of copied photos under false values",
            Shift(delivery="poisoned"),
            speaks=("delivery",),
            may_start=("reindex",),
        ),
        Scenario(
            "outage",
            "the model answers nobody for two windows, so the query log has a hole",
            Shift(silent=True, windows=2),
            speaks=("alerts", "traffic"),
        ),
    )
}


def find_scenario(name: str) -> Scenario:
    """A drill by name. Raises ConfigError listing the known ones."""
    if name not in SCENARIOS:
        raise ConfigError(f"there is no drill '{name}'; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
