"""A server that speaks S3, in this process: what is put there travels by HTTP as to any other."""

from collections.abc import Iterator
from contextlib import contextmanager

import s3fs
from moto.server import ThreadedMotoServer

BUCKET = "states"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The environment that leads clients to it; it has one bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        files = s3fs.S3FileSystem(
            key="key", secret="secret", endpoint_url=endpoint, skip_instance_cache=True, use_listings_cache=False
        )
        files.makedirs(BUCKET, exist_ok=True)  # all servers of a process have the same buckets
        yield CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}
    finally:
        server.stop()
