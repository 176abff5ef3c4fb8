"""The search service in a process of its own: `python -m benchmarks.serving.served SETTINGS.json`.

It says where it listens once it does, and ends when its standard input closes: also where the study is killed.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from serving.run import serve
from serving.settings import ServingSettings


def main(settings: Path) -> None:
    """Serve until SIGTERM, or until nobody holds the other end of standard input."""
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    serve(ServingSettings.model_validate_json(settings.read_text(encoding="utf-8")), _announce)


def _announce(rest: str, grpc: str) -> None:
    ports = [int(address.rsplit(":", 1)[1]) for address in (rest, grpc)]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()


def _end_with_the_study() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
