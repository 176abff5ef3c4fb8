"""Words and phrases of titles, compared as whole words without regard to case and punctuation."""

import re
from collections.abc import Collection, Iterator

Words = tuple[str, ...]

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> Words:
    """`V-Neck T-shirt` is v, neck, t, shirt; `Levi's` is levi, s."""
    return tuple(_WORD.findall(text.casefold()))


def opening(text: str, count: int) -> str:
    """The first `count` words as they are spelled, with whatever stands between them."""
    words = list(_WORD.finditer(text))[:count]
    return text[words[0].start() : words[-1].end()] if words else ""


def claimed(words: Words, phrases: Collection[Words]) -> Iterator[Words]:
    """The phrases that occur in the words; a longer phrase takes its words from shorter ones, an earlier one from
    later ones of the same length."""
    longest = max(map(len, phrases), default=0)
    taken: set[int] = set()
    for length in range(min(longest, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            places = range(start, start + length)
            if words[start : start + length] in phrases and taken.isdisjoint(places):
                taken.update(places)
                yield words[start : start + length]
