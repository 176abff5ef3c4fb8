"""Times in SQLite, which Feast and IPython read each in its own way and tell sqlite3 so, for the whole process."""

import sqlite3
from datetime import datetime


def read_both() -> None:
    """Let times of either be read; whoever was imported last had it for itself, so this is said before each read."""
    sqlite3.register_converter("timestamp", read_time)


def read_time(stored: bytes) -> datetime:
    """Feast's seconds since 1970, in this machine's time zone as Feast has them, or IPython's ISO 8601."""
    seconds = stored.lstrip(b"-").isdigit()
    return datetime.fromtimestamp(int(stored)) if seconds else datetime.fromisoformat(stored.decode())
