"""Run a command that ends with its parent: `python leash.py COMMAND...`.

The parent keeps this process's standard input open. When it closes, because the parent stopped the server
or was itself killed, the whole process group of the command ends too.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE_SECONDS = 10.0
"""How long a server may take to finish the requests it is answering."""


def main(command: list[str]) -> int:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    threading.Thread(target=_follow_parent, args=(server,), daemon=True).start()
    code = server.wait()
    with contextlib.suppress(ProcessLookupError):  # its workers normally end with it
        os.killpg(server.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _follow_parent(server: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock, held here, would abort the interpreter's exit
        pass
    server.terminate()
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
