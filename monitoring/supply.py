"""What the newest catalogue asks for beside an index: a retrain for what the model was never taught, or a person."""

from lookalike.storage import digest_json
from monitoring.catalogue import CatalogueChange
from monitoring.findings import Finding, dealt_with
from monitoring.history import WatchHistory
from monitoring.settings import DecisionSettings


def untaught_asks(change: CatalogueChange, history: WatchHistory, settings: DecisionSettings) -> Finding:
    """A retrain for verticals, or values of one attribute, that more than `untaught_share` of the products have.

    Each of them is a cause of its own. One that a run answered is not counted again, whatever became of that run: a
    vertical too small to be learned, or a challenger that the gate refused, must not be paid for every week.
    """
    found = [_field_asks(name, values, change.products, history, settings) for name, values in change.untaught.items()]
    if not found:
        return Finding("The catalogue holds nothing that the model was never taught.")
    return Finding(" ".join(one.sentence for one in found), tuple(cause for one in found for cause in one.causes))


def too_much_lost(change: CatalogueChange, settings: DecisionSettings) -> str | None:
    """Why nothing starts with a catalogue that lost more than `lost_share` of the indexed products."""
    if change.share_gone <= settings.lost_share:
        return None
    return (
        f"The catalogue lacks {change.gone} of the {change.held} products in service ({change.share_gone:.1%}; "
        f"{settings.lost_share:.0%} are let pass): a broken delivery is likelier than a purge, so nothing starts with "
        "it. If it is meant, index it by hand or raise lost_share."
    )


def _field_asks(
    name: str, values: dict[str, int], products: int, history: WatchHistory, settings: DecisionSettings
) -> Finding:
    """What one attribute, or the verticals, ask for."""
    causes = {value: _cause(name, value) for value in values}
    open_values = [value for value, cause in causes.items() if dealt_with(cause, history, settings) is None]
    share = sum(values[value] for value in open_values) / products
    of = "verticals" if name == "vertical" else f"values of {name}"
    listed = ", ".join(f"'{value}': {count}" for value, count in values.items())
    what = f"The model was never taught these {of} ({listed}): {share:.1%} of the products"
    if share > settings.untaught_share:
        causes_of_run = tuple(causes[value] for value in open_values)
        return Finding(f"{what}, more than the {settings.untaught_share:.1%} allowed.", causes_of_run)
    answered = "" if len(open_values) == len(values) else ", those aside that runs were started for"
    return Finding(f"{what}{answered}; {settings.untaught_share:.1%} are allowed.")


def _cause(name: str, value: str) -> str:
    """Names of runs are made of it, so it holds no letters of the shop's."""
    return f"{'vertical' if name == 'vertical' else 'value'}-{digest_json([name, value])[:12]}"
