"""One drill, from a workspace to a folder of its own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.drill.days import Asked, Days
from app.drill.drilled import Drilled
from app.drill.page import write_page
from app.drill.pool import smallest_vertical, unseen_photos
from app.drill.result import DRILL, Drill, conclude, expectation
from app.drill.scenario import Scenario
from app.drill.service import DAY
from app.drill.stand_in import stand_in
from lookalike.errors import ConfigError
from lookalike.stages import NONE, Settings, settings_for
from lookalike.storage import atomic_folder, write_json
from monitoring.settings import DriftSettings


def run_drill(
    drilled: Drilled, scenario: Scenario, output: Path, asked: Asked | None = None, settings: Settings = NONE
) -> Drill:
    """Drill the release and write the folder `output`: a workspace of the drill's own, `drill.json`, `drill.html`.

    `settings` are those of the stages, as every verb takes them; a window is what one simulated day brought unless
    they say otherwise. Raises ConfigError for an `output` that is there and no drill, for windows too few or too small,
    and for a catalogue that the scenario cannot be played with.
    """
    asked = asked or Asked()
    settings = {**settings, "drift": {"hours": DAY / timedelta(hours=1), **settings.get("drift", {})}}
    early = _checked(asked, settings_for(DriftSettings, settings, "drift"), output).early_rows
    pool = unseen_photos(drilled.catalogue, drilled.trained)
    if scenario.shift.newcomers:
        pool = replace(pool, kept_out=smallest_vertical(pool))
    with atomic_folder(output) as folder:
        days = Days(drilled, stand_in(drilled, pool.kept_out, folder), pool, scenario, asked, settings)
        days.early(early)
        windows = tuple(days.window(number) for number in range(1, asked.windows + 1))
        as_expected, conclusion = conclude(scenario, windows)
        drill = Drill(
            scenario=scenario.name,
            sentence=scenario.sentence,
            release_id=drilled.release.release_id,
            queries=asked.queries,
            seed=asked.seed,
            early=early,
            windows=windows,
            expected=expectation(scenario),
            as_expected=as_expected,
            conclusion=conclusion,
        )
        write_json(folder / DRILL, drill.model_dump(mode="json"))
        write_page(folder, drill)
    return drill


def _checked(asked: Asked, drift: DriftSettings, output: Path) -> DriftSettings:
    if asked.windows < 3:
        raise ConfigError(f"{asked.windows} windows cannot show a shift; 3 is the fewest")
    if asked.queries < drift.min_rows:
        raise ConfigError(
            f"{asked.queries} queries are below drift.min_rows {drift.min_rows}; nothing would be measured"
        )
    if output.exists() and not (output / DRILL).is_file():
        raise ConfigError(f"{output} is there and holds no {DRILL}; a drill replaces nothing but an earlier drill")
    return drift
