"""A local run's process that does nothing but wait to be told how it ends: a file `end` with the phase in it."""

import sys
import time
from pathlib import Path

from lookalike.storage import write_json
from monitoring.runs.local import OUTCOME

folder = Path(sys.argv[1])
(folder / "began").touch()
deadline = time.monotonic() + 60
while not (folder / "end").is_file() and time.monotonic() < deadline:
    time.sleep(0.01)
phase = (folder / "end").read_text()
write_json(folder / OUTCOME, {"phase": phase, "reason": "told to fail" * (phase == "failed"), "hours": 0.5})
