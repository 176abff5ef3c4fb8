"""What holds a run back that something asks for: another one under way, the cooldown, the budget."""

from datetime import datetime, timedelta

from monitoring.history import WatchHistory
from monitoring.settings import DecisionSettings


def under_way(history: WatchHistory) -> str | None:
    """Why nothing starts beside a run that has not ended: both would put a release in service."""
    running = history.open_runs()
    return f"Run {running[0].name} has not ended; nothing starts beside it." if running else None


def held_back(history: WatchHistory, now: datetime, settings: DecisionSettings) -> str | None:
    """Why no retrain starts now, in words; None where one may."""
    return _cooling_down(history, now, settings) or _out_of_budget(history, now, settings)


def _cooling_down(history: WatchHistory, now: datetime, settings: DecisionSettings) -> str | None:
    last = history.last_retrain()
    if last is None or now - last >= timedelta(days=settings.cooldown_days):
        return None
    return f"A retrain started {last:%Y-%m-%d %H:%M}; none starts again within {settings.cooldown_days:g} days."


def _out_of_budget(history: WatchHistory, now: datetime, settings: DecisionSettings) -> str | None:
    spent = history.retrains_since(now - timedelta(days=settings.budget_days))
    period = f"the last {settings.budget_days:g} days"
    if settings.most_retrains is not None and len(spent) >= settings.most_retrains:
        return f"{len(spent)} retrains started in {period}; the budget is {settings.most_retrains}."
    hours = sum(run.hours if run.hours is not None else settings.hours_per_retrain for run in spent)
    if settings.most_hours is not None and hours + settings.hours_per_retrain > settings.most_hours:
        return (
            f"Retrains took {hours:.1f} hours in {period} and another is reckoned at {settings.hours_per_retrain:g}; "
            f"the budget is {settings.most_hours:g}."
        )
    return None
