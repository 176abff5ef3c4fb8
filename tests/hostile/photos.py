"""Photos that strangers could send, drawn or forged here: nothing foreign is kept.

Each is a function, since some are megabytes; `SOUND` must decode, `REFUSED` must raise ImageError, and both at a
bounded cost.
"""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from lookalike.catalog.photo_formats import MOST_PIECES

Photo = Callable[[], bytes]
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"
ZIP = b"PK\x03\x04\x14\0\0\0\0\0"


def picture(width: int = 48, height: int = 64, mode: str = "RGB") -> Image.Image:
    """A drawn pattern, the same every time."""
    blocks = np.random.default_rng(5).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    smooth = Image.Resampling.BICUBIC if width < 1000 else Image.Resampling.NEAREST  # quick to draw
    return Image.fromarray(blocks).resize((width, height), smooth).convert(mode)


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The file of an image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture(), exif=exif)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (48, 64), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def pictures(side: int = 64, count: int = 3) -> bytes:
    """A JPEG with further pictures behind the first, as cameras with two lenses write it."""
    return saved(picture(side, side), "MPO", save_all=True, append_images=[picture(side, side)] * (count - 1))


def sixteen_bit() -> bytes:
    return saved(Image.fromarray((np.arange(48 * 64, dtype=np.uint16) * 20).reshape(64, 48)), "PNG")


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(*chunks: bytes, size: tuple[int, int] | None = None) -> bytes:
    """A PNG with chunks behind its header, and optionally another size in it."""
    whole = saved(picture(), "PNG")
    header = whole[8:33] if size is None else png_chunk(b"IHDR", struct.pack(">II", *size) + whole[24:29])
    return whole[:8] + header + b"".join(chunks) + whole[33:]


def flat_png(width: int, height: int) -> bytes:
    """A few kilobytes that unfold to width x height x 4 bytes."""
    rows = zlib.compressobj(9)
    row = b"\0" + b"\x40" * width * 4
    body = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    head = struct.pack(">II5B", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def text_bomb(name: bytes, head: bytes, megabytes: int = 80) -> bytes:
    return png_with(png_chunk(name, head + zlib.compress(bytes(megabytes * 1_000_000), 9)))


def text_flood() -> bytes:
    """Texts that are each small enough and unfold to hundreds of megabytes together."""
    body = zlib.compress(bytes(1_000_000), 9)
    return png_with(*(png_chunk(b"zTXt", b"%d\0\0" % number + body) for number in range(300)))


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with further segments (marker, body) at its beginning."""
    whole = saved(picture())
    between = b"".join(bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return whole[:2] + between + whole[2:]


def scans(times: int, width: int = 48, height: int = 64) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = saved(picture(width, height, "L"), progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * times + whole[-2:]


def jpeg_of_size(width: int, height: int, small: bytes | None = None) -> bytes:
    """A small JPEG that claims another size."""
    whole = bytearray(small or saved(picture()))
    frame = whole.index(b"\xff\xc2" if small else b"\xff\xc0")
    whole[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def exif(entries: int, count: int, offset: int) -> bytes:
    """A TIFF directory whose entries all point at the same bytes."""
    body = b"".join(struct.pack("<HHII", tag, 7, count, offset) for tag in range(entries))
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + body + struct.pack("<I", 8)  # next: itself


def gif_flood(blocks: int) -> bytes:
    whole = saved(picture(), "GIF")
    start = 13 + (3 << (whole[10] & 7) + 1 if whole[10] & 0x80 else 0)
    return whole[:start] + b"\x21\xfe" + b"\x01a" * blocks + b"\0" + whole[start:]


def gif_of_size(width: int, height: int) -> bytes:
    whole = saved(picture(), "GIF")
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def gif_frame_of_size(width: int, height: int) -> bytes:
    """The screen stays small; the frame does not."""
    whole = bytearray(saved(picture(), "GIF"))
    frame = whole.index(b"\x2c\0\0\0\0")
    whole[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    return bytes(whole)


def webp_of_size(width: int, height: int) -> bytes:
    """An extended WebP whose canvas would be allocated as soon as it is opened."""
    still = saved(picture(), "WEBP")[12:]
    head = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(still)) + b"WEBP" + head + still


def run_length_bmp() -> bytes:
    whole = bytearray(saved(picture(mode="P"), "BMP"))
    whole[30:34] = struct.pack("<I", 1)
    return bytes(whole) + b"\x01\x01" * 1_000_000


def bmp_of_size(width: int, height: int) -> bytes:
    whole = bytearray(saved(picture(), "BMP"))
    whole[18:26] = struct.pack("<ii", width, height)
    return bytes(whole)


def container(brand: bytes) -> bytes:
    return b"\0\0\0\x1cftyp" + brand + bytes(200)


SOUND: Mapping[str, Photo] = {
    **{f"turned {number}": (lambda number=number: turned(number)) for number in range(10)},
    "print colours": lambda: saved(picture(mode="CMYK")),
    "grey": lambda: saved(picture(mode="L")),
    "16-bit grey": sixteen_bit,
    "black and white": lambda: saved(picture(mode="1"), "PNG"),
    "palette": lambda: saved(picture(mode="P"), "PNG"),
    "transparent palette": lambda: saved(picture(mode="P"), "PNG", transparency=3),
    "transparent grey": lambda: saved(picture(mode="LA"), "PNG"),
    "transparent WebP": lambda: saved(picture(mode="RGBA"), "WEBP"),
    "progressive": lambda: saved(picture(), progressive=True),
    "animated GIF": lambda: animated("GIF"),
    "animated WebP": lambda: animated("WEBP"),
    "animated PNG": lambda: animated("PNG"),
    "several pictures": pictures,
    "several pictures, all but the first of nonsense": lambda: pictures()[: len(pictures()) // 3 + 200] + bytes(5000),
    "extreme shape": lambda: saved(Image.new("RGB", (16, 6000), "red"), "PNG"),
    "JPEG then ZIP": lambda: saved(picture()) + ZIP * 100,
    "JPEG then HTML": lambda: saved(picture()) + HTML,
    "JPEG with HTML as its comment": lambda: jpeg_with((0xFE, HTML)),
    "PNG with PHP in it": lambda: png_with(png_chunk(b"tEXt", b"Comment\0<?php system($_GET['c']); ?>")),
    "PNG then ZIP": lambda: saved(picture(), "PNG") + ZIP * 100,
    "GIF then script": lambda: saved(picture(), "GIF") + b"*/=1;alert(1)",
    "EXIF that leads to itself": lambda: jpeg_with((0xE1, exif(100, 4, 8))),
    "EXIF of large values": lambda: jpeg_with((0xE1, exif(5000, 60_000, 8))),
    "colour profile of nonsense": lambda: jpeg_with((0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(60_000))),
    "multi-picture index of nonsense": lambda: jpeg_with((0xE2, b"MPF\0" + exif(5000, 60_000, 8)[6:])),
    "many frames": lambda: saved(picture(), "GIF")[:-1] + saved(picture(), "GIF")[13:-1] * 300 + b";",
}

REFUSED: Mapping[str, Photo] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\xff",
    "SVG": lambda: SVG,
    "SVG behind spaces": lambda: b"\xef\xbb\xbf \n\t" + SVG,
    "compressed SVG": lambda: b"\x1f\x8b" + zlib.compress(SVG),
    "HTML then JPEG": lambda: HTML + saved(picture()),
    "PDF then JPEG": lambda: b"%PDF-1.7\n" + saved(picture()),
    "ZIP then JPEG": lambda: ZIP + saved(picture()),
    "TIFF": lambda: saved(picture(), "TIFF"),
    "icon": lambda: saved(picture(), "ICO"),
    "PPM": lambda: saved(picture(), "PPM"),
    "JPEG 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "HEIC": lambda: container(b"heic"),
    "HEIF": lambda: container(b"mif1"),
    "AVIF": lambda: container(b"avif"),
    "JPEG XL": lambda: b"\xff\x0a" + bytes(100),
    **{
        f"truncated {kind} {share}": (lambda kind=kind, share=share: cut(saved(picture(), kind), share))
        for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF")
        for share in (0.1, 0.6)
    },
    "PNG of 3.6 billion pixels": lambda: png_with(size=(60_000, 60_000)),
    "PNG of 100 megapixels": lambda: png_with(size=(10_000, 10_000)),
    "zTXt bomb": lambda: text_bomb(b"zTXt", b"k\0\0"),
    "iTXt bomb": lambda: text_bomb(b"iTXt", b"k\0\x01\0\0\0"),
    "text flood": text_flood,
    "PNG of tiny chunks": lambda: png_with(png_chunk(b"abCd", b"") * (MOST_PIECES + 1)),
    "JPEG of 4 billion pixels": lambda: jpeg_of_size(65_500, 65_500),
    "progressive JPEG of many scans": lambda: scans(1000),
    "progressive JPEG of large scans": lambda: jpeg_of_size(5000, 5000, scans(14)),
    "JPEG of Exif segments": lambda: jpeg_with(*[(0xE1, b"Exif\0\0" + bytes(1000))] * 2000),
    "JPEG of tiny segments": lambda: jpeg_with(*[(0xE5, b"")] * 100_000),
    "JPEG of junk": lambda: saved(picture())[:20] + bytes(10_000_000) + saved(picture())[20:],
    "GIF of tiny blocks": lambda: gif_flood(MOST_PIECES + 1),
    "GIF of 4 billion pixels": lambda: gif_of_size(65_535, 65_535),
    "GIF with a frame of 4 billion pixels": lambda: gif_frame_of_size(65_535, 65_535),
    "WebP canvas of 268 megapixels": lambda: webp_of_size(16_383, 16_383),
    "run-length encoded BMP": run_length_bmp,
    "BMP of 4 billion pixels": lambda: bmp_of_size(65_000, 65_000),
    "BMP of the smallest height": lambda: bmp_of_size(48, -(2**31)),
    "too narrow": lambda: saved(Image.new("RGB", (15, 200)), "PNG"),
}

LARGE: Mapping[str, Photo] = {
    "PNG of 25 megapixels, all transparent": lambda: flat_png(5000, 5000),
    "JPEG of 50 megapixels": lambda: saved(picture(7070, 7070)),
    "three JPEGs of 50 megapixels in one": lambda: pictures(7070),
    "progressive JPEG of 25 megapixels": lambda: saved(picture(5000, 5000), progressive=True),
    "WebP of 25 megapixels": lambda: saved(picture(5000, 5000), "WEBP", method=0),
    "lossless WebP of 25 megapixels": lambda: saved(picture(5000, 5000), "WEBP", lossless=True, method=0, quality=0),
    "GIF of 25 megapixels": lambda: saved(picture(5000, 5000), "GIF"),
    "most scans of a small JPEG": lambda: scans(50),
    "most PNG chunks": lambda: png_with(png_chunk(b"abCd", b"") * (MOST_PIECES - 20)),
    "most GIF blocks": lambda: gif_flood(MOST_PIECES - 20),
    "most Exif": lambda: jpeg_with(*[(0xE1, b"Exif\0\0" + bytes(65_000))] * 16),
}
"""Accepted, and as expensive as what is accepted gets."""


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]
