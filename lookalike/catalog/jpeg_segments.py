"""The segments of a JPEG, counted before a decoder walks them.

A progressive JPEG repeats the whole picture once per scan, and a scan that changes nothing takes a hundred bytes: a
few megabytes may hold hours of work, and libjpeg sets no limit. Pillow joins Exif segments one by one and skips junk
byte by byte, both in Python.
"""

import re
from dataclasses import dataclass

from lookalike.errors import ImageError, PhotoTooLarge

MOST_SEGMENTS = 2048
"""Colour profiles and extended metadata of 60 MB would fit; cameras write a few dozen segments."""
MOST_EXIF_SEGMENTS = 16
"""Cameras write one, of 64 kB at most."""
MOST_JUNK = 65_536
"""Bytes before the picture that belong to no segment."""
MOST_SCANS = 64
"""Common encoders write up to 17."""
MOST_SCANNED_PIXELS = 300_000_000
"""Pixels times scans: a progressive photo of 25 megapixels may have 12 scans."""

START_OF_SCAN, END_OF_IMAGE, EXIF = 0xDA, 0xD9, 0xE1
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the frame header, which holds the size."""
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, padding or a restart


@dataclass
class JpegTally:
    """What a JPEG is made of."""

    segments: int = 0
    exif: int = 0
    junk: int = 0
    scans: int = 0
    pixels: int = 0
    components: int = 0
    progressive: bool = False

    def check(self) -> None:
        """Raise ImageError where one is too many."""
        for count, most, what in (
            (self.segments, MOST_SEGMENTS, "segments"),
            (self.exif, MOST_EXIF_SEGMENTS, "Exif segments"),
            (self.junk, MOST_JUNK, "bytes between its segments"),
        ):
            if count > most:
                raise ImageError(f"the photo is a JPEG with more than {most} {what}; save it again")
        if self.scans > MOST_SCANS or self.scans * self.pixels > MOST_SCANNED_PIXELS:
            raise PhotoTooLarge(
                f"the photo is a JPEG of {self.pixels} pixels in {self.scans} scans or more; accepted are {MOST_SCANS} "
                f"scans, and {MOST_SCANNED_PIXELS} as their product with the pixels"
            )


def tally_jpeg(content: bytes) -> JpegTally:
    """Walk the segments up to the only scan, or to the end where there are several. Raises ImageError."""
    tally, place = JpegTally(), 2
    while (found := _MARKER.search(content, place)) is not None:
        marker, body = content[found.start() + 1], found.end()
        tally.junk += 0 if tally.scans else found.start() - place  # behind a scan's header come its bits
        tally.segments += 1
        tally.exif += marker == EXIF and content.startswith(b"Exif\0\0", body + 2)
        if marker in FRAMES:
            _read_frame(tally, marker, content, body)
        tally.scans += marker == START_OF_SCAN
        tally.check()
        if marker == END_OF_IMAGE or _is_whole(tally, marker, content, body):
            break
        place = body if marker == 0x01 else body + max(int.from_bytes(content[body : body + 2], "big"), 2)
    return tally


def _read_frame(tally: JpegTally, marker: int, content: bytes, body: int) -> None:
    height, width = (int.from_bytes(content[at : at + 2], "big") for at in (body + 3, body + 5))
    tally.pixels, tally.progressive = width * height, marker in PROGRESSIVE
    tally.components = int.from_bytes(content[body + 7 : body + 8], "big")


def _is_whole(tally: JpegTally, marker: int, content: bytes, body: int) -> bool:
    """Whether this scan holds every component of a sequential picture, so that the decoder reads no other."""
    together = int.from_bytes(content[body + 2 : body + 3], "big")
    return marker == START_OF_SCAN and not tally.progressive and together >= tally.components
