"""What every gRPC connection of ours has in common: it comes back soon after its server does."""

RECONNECTING = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.min_reconnect_backoff_ms": 1000,  # despite its name, how long one attempt may take; else 20 seconds
}
"""Of its own accord gRPC waits ever longer for a server that is gone, up to two minutes; connections to one address
share that wait, so opening another one does not end it."""
