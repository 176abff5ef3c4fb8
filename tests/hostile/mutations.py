"""Damage that breaks parsers: bytes flipped, moved, cut and repeated, lengths made extreme, files joined."""

from collections.abc import Callable, Sequence

import numpy as np

Rng = np.random.Generator
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MOST_MUTATIONS = 6


def mutated(originals: Sequence[bytes], rng: Rng) -> bytes:
    """One of the originals after one to six mutations, and sometimes with another's end."""
    content = originals[rng.integers(len(originals))]
    for _ in range(rng.integers(1, MOST_MUTATIONS + 1)):
        content = MUTATIONS[rng.integers(len(MUTATIONS))](content, rng)
    if rng.random() < 0.05:
        content = content[: _place(content, rng)] + _tail(originals[rng.integers(len(originals))], rng)
    return content


def _flip_bits(content: bytes, rng: Rng) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        if changed:
            changed[_place(content, rng, inside=True)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _set_number(content: bytes, rng: Rng) -> bytes:
    """Overwrite 1, 2 or 4 bytes, early ones more often: there the lengths and sizes are."""
    width = int(rng.choice((1, 2, 4)))
    value = EXTREMES[rng.integers(len(EXTREMES))] & (256**width - 1)
    place = int(_place(content, rng) * rng.random() ** 2)
    return content[:place] + value.to_bytes(width, rng.choice(("big", "little"))) + content[place + width :]


def _remove(content: bytes, rng: Rng) -> bytes:
    place = _place(content, rng)
    return content[:place] + content[place + int(rng.integers(1, 64)) :]


def _repeat(content: bytes, rng: Rng) -> bytes:
    place = _place(content, rng)
    part = content[place : place + int(rng.integers(1, 128))]
    return content[:place] + part * int(rng.integers(2, 50)) + content[place:]


def _insert(content: bytes, rng: Rng) -> bytes:
    place = _place(content, rng)
    return content[:place] + rng.bytes(int(rng.integers(1, 64))) + content[place:]


def _move(content: bytes, rng: Rng) -> bytes:
    start, end = sorted((_place(content, rng), _place(content, rng)))
    rest = content[:start] + content[end:]
    place = _place(rest, rng)
    return rest[:place] + content[start:end] + rest[place:]


def _truncate(content: bytes, rng: Rng) -> bytes:
    return content[: _place(content, rng)]


def _place(content: bytes, rng: Rng, inside: bool = False) -> int:
    return int(rng.integers(max(len(content) + (not inside), 1)))


def _tail(content: bytes, rng: Rng) -> bytes:
    return content[_place(content, rng) :]


MUTATIONS: tuple[Callable[[bytes, Rng], bytes], ...] = (
    _flip_bits,
    _flip_bits,
    _set_number,
    _set_number,
    _remove,
    _repeat,
    _insert,
    _move,
    _truncate,
)
