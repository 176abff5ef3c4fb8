"""Brands: the words with which many titles open, up to the word for whom the product is meant."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from lookalike.catalog.designs import BASIC_COLOURS
from lookalike.catalog.lexicon import BrandRule, worded
from lookalike.catalog.wording import Words, opening, words_of


def known_brands(titles: Iterable[str | None], rule: BrandRule, said: Collection[Words] = ()) -> dict[Words, str]:
    """Opening words to brand: the rule's own names, and what enough titles open with.

    `Nike Men` in five titles makes Nike a brand; `Nike Fragrances Women` in five more does not make another one,
    since a brand's lines begin with its name. A phrase that is a value (`said`) or a colour is no brand. A brand is
    spelled as most titles spell it.
    """
    named = {words: name for name, phrases in rule.names.items() for words in worded(phrases)}
    spellings = _openings(titles, rule)
    frequent = {words for words, spelled in spellings.items() if spelled.total() >= rule.min_products}
    frequent -= {*said, *named, *((colour,) for colour in BASIC_COLOURS)}
    brands = frequent | set(named)
    lines = {words for words in frequent if any(words[:end] in brands for end in range(1, len(words)))}
    return {words: _usual(spellings[words]) for words in sorted(frequent - lines)} | named


def opening_brand(words: Words, brands: Mapping[Words, str]) -> str | None:
    """The brand that the words open with, the longest where several do."""
    longest = max(map(len, brands), default=0)
    found = (brands.get(words[:end]) for end in range(min(longest, len(words)), 0, -1))
    return next((brand for brand in found if brand is not None), None)


def _openings(titles: Iterable[str | None], rule: BrandRule) -> Mapping[Words, Counter[str]]:
    """Opening words that end before one of the rule's words, with the count of each spelling."""
    before = {word for (word,) in worded(rule.before)}
    found: dict[Words, Counter[str]] = defaultdict(Counter)
    for title in titles:
        words = words_of(title) if title else ()
        end = next((place for place, word in enumerate(words) if word in before), 0)
        if title and 0 < end <= rule.max_words:
            found[words[:end]][opening(title, end)] += 1
    return found


def _usual(spelled: Counter[str]) -> str:
    return min(spelled, key=lambda spelling: (-spelled[spelling], spelling))
