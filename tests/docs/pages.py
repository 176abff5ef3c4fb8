"""README and docs as the tests read them: fenced blocks, inline code, links, headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One page of Markdown."""

    path: Path
    text: str

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and text of every fenced block."""
        return FENCE.findall(self.text)

    @cached_property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return FENCE.sub("", self.text)

    @cached_property
    def inline(self) -> list[str]:
        """Inline code, line breaks as spaces."""
        return [" ".join(code.split()) for code in INLINE.findall(self.prose)]

    @cached_property
    def links(self) -> list[str]:
        """Targets of links and pictures."""
        return LINK.findall(self.prose)

    @cached_property
    def anchors(self) -> set[str]:
        """What a link behind `#` may name, as GitHub makes it from the headings."""
        made: set[str] = set()
        for heading in HEADING.findall(self.prose):
            slug = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-")
            twins = (f"{slug}-{n}" for n in range(1, len(made) + 1))
            made.add(slug if slug not in made else next(twin for twin in twins if twin not in made))
        return made

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def pages() -> Iterator[Page]:
    """The README and every page of docs, runbooks included."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        yield Page(path, path.read_text(encoding="utf-8"))
