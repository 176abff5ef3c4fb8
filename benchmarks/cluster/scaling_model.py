"""How long a step takes on P processes: a formula of what was measured on one, and of a network.

    T(P) = d * ceil(B / P) / B  +  u  +  R(P)  +  A(P)
    R(P) = 2 (P - 1) / P * G / w  +  2 (P - 1) * l        gradients, reduced around a ring
    A(P) = (P - 1) / P * E / w  +  3 (P - 1) * l          encodings, gathered by all from all, three tensors

d is the time of what is divided among the processes (the encoder, forward and backward), u that of what every one of
them does for the whole batch of B photos (heads, decoder, losses, optimiser); G and E are the bytes of gradients and
encodings, w and l bandwidth and latency of the network. DDP exchanges gradients while the encoder still runs backward,
which the formula leaves out: it says too much rather than too little.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """What carries gradients from one process to the next."""

    name: str
    bytes_per_second: float
    latency_seconds: float


ASSUMED = (
    Network("10 Gbit/s Ethernet", 1.25e9, 50e-6),
    Network("100 Gbit/s Ethernet", 12.5e9, 30e-6),
)
"""Line rates and usual latencies of a message between two machines; assumed, not measured."""


@dataclass(frozen=True)
class StepModel:
    """One recipe on one kind of core."""

    batch: int
    divided_seconds: float
    undivided_seconds: float
    gradient_bytes: float
    encoding_bytes: float

    def seconds(self, processes: int, network: Network) -> float:
        """T(P)."""
        share = math.ceil(self.batch / processes) / self.batch
        others = processes - 1
        reducing = 2 * others / processes * self.gradient_bytes / network.bytes_per_second
        gathering = others / processes * self.encoding_bytes / network.bytes_per_second
        waiting = 5 * others * network.latency_seconds
        return self.divided_seconds * share + self.undivided_seconds + reducing + gathering + waiting

    def speedup(self, processes: int, network: Network) -> float:
        """T(1) / T(P)."""
        return self.seconds(1, network) / self.seconds(processes, network)

    def with_batch(self, batch: int) -> "StepModel":
        """The same with other batches, to whose size times and encodings are taken to be proportional."""
        times = batch / self.batch
        return StepModel(
            batch,
            self.divided_seconds * times,
            self.undivided_seconds * times,
            self.gradient_bytes,
            self.encoding_bytes * times,
        )
