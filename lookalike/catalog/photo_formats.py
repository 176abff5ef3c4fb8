"""What a photo's bytes are, by content, and whether their container is built to cost more than it shows.

Only the pixels of a photo go on; whatever else a file holds (metadata, further frames, an archive or a page of HTML
behind the picture) is never read, so a polyglot is decoded as the photo it begins as, or refused. What Pillow walks in
Python, piece by piece, is counted here before Pillow sees it.
"""

import struct
from collections.abc import Callable, Mapping

from lookalike.catalog.jpeg_segments import tally_jpeg
from lookalike.errors import ImageError, PhotoTooLarge

MOST_PIECES = 65_536
"""Chunks of a PNG or WebP, or blocks before a GIF's picture: a second at most, at Pillow's 2 to 10 µs each."""

SIGNATURES: tuple[tuple[str, int, tuple[bytes, ...]], ...] = (
    ("JPEG", 0, (b"\xff\xd8\xff",)),
    ("PNG", 0, (b"\x89PNG\r\n\x1a\n",)),
    ("WEBP", 8, (b"WEBPVP8",)),
    ("GIF", 0, (b"GIF87a", b"GIF89a")),
    ("BMP", 0, (b"BM",)),
    ("AVIF", 4, (b"ftypavif", b"ftypavis")),
    ("HEIC", 4, (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1")),
    ("TIFF", 0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("PDF", 0, (b"%PDF",)),
    ("ZIP", 0, (b"PK\x03\x04",)),
    ("JPEG XL", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
)
"""Name, place of the magic bytes, and the bytes; also of formats that are refused, so that the refusal can say so."""

MARKUP = b"<"


def sniff(content: bytes) -> str | None:
    """The format the content begins as, whatever its name or header says; None for nothing we know."""
    for name, start, magics in SIGNATURES:
        if content.startswith(magics, start):
            return name
    return "markup such as SVG" if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(MARKUP) else None


def check_container(kind: str, content: bytes) -> None:
    """Raise ImageError for a container of `kind` that no camera or program writes and that costs too much to walk."""
    try:
        _CHECKS[kind](content)
    except (IndexError, struct.error) as error:
        raise ImageError(f"the photo is damaged: the {kind} file ends within its header") from error


def header_size(kind: str, content: bytes) -> tuple[int, int] | None:
    """(width, height) of a WebP, whose decoder allocates its canvas while it opens; None for what does not."""
    if kind != "WEBP":
        return None
    chunk = content[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF


def _check_png(content: bytes) -> None:
    place, pieces = 8, 0
    while place + 8 <= len(content):
        place += 12 + struct.unpack_from(">I", content, place)[0]
        pieces = _counted(pieces, "PNG")


def _check_webp(content: bytes) -> None:
    place, pieces = 12, 0
    while place + 8 <= len(content):
        length = struct.unpack_from("<I", content, place + 4)[0]
        place += 8 + length + length % 2
        pieces = _counted(pieces, "WebP")


def _check_gif(content: bytes) -> None:
    """Count the blocks up to the first picture; what follows is not read in Python."""
    place, pieces = 13 + _palette_bytes(content[10]), 0
    while place < len(content) and content[place] == 0x21:  # an extension
        place += 2
        while content[place]:
            place += content[place] + 1
            pieces = _counted(pieces, "GIF")
        place += 1
        pieces = _counted(pieces, "GIF")


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _check_bmp(content: bytes) -> None:
    header, *_, compression = struct.unpack_from("<IiiHHI", content, 14)
    if header > 12 and compression in (1, 2):
        raise ImageError("the photo is a run-length encoded BMP, which is not accepted; save it as PNG")


def _counted(pieces: int, kind: str) -> int:
    if pieces >= MOST_PIECES:
        raise PhotoTooLarge(f"the {kind} photo is cut into more than {MOST_PIECES} pieces, which is all that is read")
    return pieces + 1


_CHECKS: Mapping[str, Callable[[bytes], object]] = {
    "JPEG": tally_jpeg,
    "PNG": _check_png,
    "WEBP": _check_webp,
    "GIF": _check_gif,
    "BMP": _check_bmp,
    "AVIF": len,
}
