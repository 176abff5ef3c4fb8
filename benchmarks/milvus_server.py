"""A real Milvus server, from the PyPI package `milvus`, for as long as it is needed.

It listens on all interfaces, so it and its clients belong into a network of their own that has nothing but loopback:
`unshare --map-root-user --net COMMAND`.
"""

import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


@contextmanager
def milvus_server(folder: Path) -> Iterator[str]:
    """The address of a server that keeps its data below `folder`; needs to be alone in its network."""
    from milvus import MilvusServer  # of 2.3.5, a development dependency for Linux alone

    with socket.socket() as any_socket:  # a new network's loopback is down
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
    server = MilvusServer()
    server.set_base_dir(str(folder))
    server.start()
    try:
        yield f"http://127.0.0.1:{server.listen_port}"
    finally:
        server.server_proc.kill()  # `stop` by itself gives up on a busy machine after four seconds
        server.server_proc.wait()
        server.stop()
