"""Lexicons: which words of a title say which attribute; the fashion one ships with the package."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import Field, field_validator, model_validator

from lookalike.catalog.wording import Words, words_of
from lookalike.config import StrictConfig, load_config, parse_config
from lookalike.errors import ConfigError

SHIPPED = "lookalike.catalog.lexicons"

BRAND = "brand"
"""The attribute that a brand rule finds."""


class TitleAttribute(StrictConfig):
    """One attribute as titles speak of it."""

    values: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Value to the words and phrases that say it, compared as whole words without regard to case."""
    unless: tuple[str, ...] = ()
    """Words and phrases for goods of which a title says nothing about this attribute (a crew sock has no neckline)."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "TitleAttribute":
        said: dict[Words, str] = {}
        for value, phrases in self.values.items():
            for phrase, words in zip(phrases, worded(phrases), strict=True):
                other = said.setdefault(words, value)
                if other != value:
                    raise ValueError(f"the phrase '{phrase}' stands for both '{other}' and '{value}'")
        worded(self.unless)
        return self

    def phrases(self) -> dict[Words, str]:
        """Words of each phrase to the value that it says."""
        return {words: value for value, phrases in self.values.items() for words in worded(phrases)}


class BrandRule(StrictConfig):
    """How brands are read: the words with which many titles open, up to the word for whom the product is meant."""

    before: tuple[str, ...] = Field(min_length=1)
    """Single words that end a brand: men, women, kids."""
    min_products: int = Field(default=5, ge=2)
    """Fewest titles that must open with a brand followed by one of those words before it is believed."""
    max_words: int = Field(default=4, ge=1)
    """Longest brand."""
    names: dict[str, tuple[str, ...]] = {}
    """Brands known beforehand: those that begin with another brand's name, spellings of one brand, and brands whose
    titles name no person."""

    @field_validator("before")
    @classmethod
    def _single(cls, before: tuple[str, ...]) -> tuple[str, ...]:
        for word, words in zip(before, worded(before), strict=True):
            if len(words) != 1:
                raise ValueError(f"'{word}' is {len(words)} words; accepted: single words")
        return before

    @field_validator("names")
    @classmethod
    def _worded(cls, names: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for phrases in names.values():
            worded(phrases)
        return names


class Lexicon(StrictConfig):
    """What titles say beyond a catalogue's own attributes."""

    attributes: dict[str, TitleAttribute] = {}
    """Attribute name to what says it."""
    brand: BrandRule | None = None
    """How the attribute `brand` is read; not at all where it is not given."""
    ignored: tuple[str, ...] = ()
    """Phrases that say nothing although words in them might: brands, lines and colours such as `steel grey`."""
    fill_missing: bool = False
    """Whether an attribute that the catalogue has itself is read from the title where it is unknown; known values
    are never replaced."""

    @model_validator(mode="after")
    def _named(self) -> "Lexicon":
        for name in self.names():
            if not name.isidentifier():
                raise ValueError(f"'{name}' is not a name of letters, digits and underscores")
        if self.brand and BRAND in self.attributes:
            raise ValueError(
                f"'{BRAND}' stands under attributes and has a rule of its own; only one of them may be given"
            )
        if not self.names():
            raise ValueError("the lexicon names no attribute and no brand rule")
        worded(self.ignored)
        return self

    def names(self) -> list[str]:
        """The attributes that it may find, in a fixed order."""
        return [*self.attributes, *([BRAND] if self.brand else [])]

    def only(self, names: list[str]) -> "Lexicon":
        """The part that finds the named attributes."""
        kept = {name: attribute for name, attribute in self.attributes.items() if name in names}
        return self.model_copy(update={"attributes": kept, "brand": self.brand if BRAND in names else None})


def worded(phrases: Iterable[str]) -> list[Words]:
    """The words of each phrase. Raises ValueError for one without a letter or digit."""
    found = [(phrase, words_of(phrase)) for phrase in phrases]
    for phrase, words in found:
        if not words:
            raise ValueError(f"the phrase '{phrase}' holds no word")
    return [words for _, words in found]


def find_lexicon(name: str) -> Lexicon:
    """A shipped lexicon by name, or one from a YAML file. Raises ConfigError listing the shipped ones."""
    if name.endswith((".yaml", ".yml", ".json")):
        return load_config(Lexicon, Path(name))
    shipped = {Path(file.name).stem: file for file in files(SHIPPED).iterdir() if file.name.endswith(".yaml")}
    if name not in shipped:
        raise ConfigError(f"unknown lexicon '{name}'; accepted: {', '.join(sorted(shipped))} or a YAML file")
    return parse_config(Lexicon, yaml.safe_load(shipped[name].read_text(encoding="utf-8")), f"lexicon {name}")
