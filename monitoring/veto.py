"""A person's veto: a text file that holds every run back, for good or until a time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lookalike.errors import ConfigError
from lookalike.storage import atomic_file

UNTIL = "until "


@dataclass(frozen=True)
class Veto:
    """What a person wrote."""

    reason: str
    until: datetime | None = None
    """When it ends by itself; None holds until the file is removed."""

    def stands(self, now: datetime) -> bool:
        """Whether it holds runs back at that time."""
        return self.until is None or now < self.until

    @property
    def term(self) -> str:
        """ " until ..." or nothing."""
        return f" until {self.until:%Y-%m-%d %H:%M %Z}" if self.until is not None else ""


def read_veto(path: Path) -> Veto | None:
    """The veto in a file, None without one. An empty file is a veto without a reason.

    A first line `until 2026-12-01T08:00+01:00` says when it ends (UTC where it names no zone), the rest is the reason.
    Raises ConfigError for an end that cannot be read: nothing is started on a guess.
    """
    if not path.exists():
        return None
    first, _, rest = path.read_text(encoding="utf-8").strip().partition("\n")
    if not first.lower().startswith(UNTIL):
        return Veto(f"{first} {rest}".strip() or path.name)
    written = first[len(UNTIL) :].strip()
    try:
        until = datetime.fromisoformat(written)
    except ValueError as error:
        raise ConfigError(f"{path}: the veto ends {written!r}, which is no ISO 8601 time") from error
    return Veto(rest.strip() or path.name, until if until.tzinfo else until.replace(tzinfo=UTC))


def write_veto(path: Path, veto: Veto) -> None:
    """Hold every run back from now on."""
    lines = [veto.reason] if veto.until is None else [f"{UNTIL}{veto.until.isoformat()}", veto.reason]
    with atomic_file(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
