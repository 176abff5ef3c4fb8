"""Decoding strangers' photos."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from lookalike.catalog.images import ImageLimits, Preprocessing, decode_photo
from lookalike.errors import ImageError, PhotoTooLarge
from tests.catalog.tiny_shop import encoded, photo, picture


def test_a_photo_taken_sideways_is_turned_upright():
    upright = picture(1)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to view
    sideways = encoded(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    assert np.array_equal(np.asarray(decode_photo(sideways)), np.asarray(upright))


def test_print_colours_become_screen_colours():
    decoded = np.asarray(decode_photo(encoded(Image.new("RGB", (32, 32), (200, 30, 40)).convert("CMYK"))))
    assert np.abs(decoded.astype(int) - (200, 30, 40)).max() < 12


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_parts_are_white(kind: str):
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 32))
    decoded = np.asarray(decode_photo(encoded(image, kind, lossless=True) if kind == "WEBP" else encoded(image, kind)))
    assert (decoded[:, :16] == 255).all()
    assert (decoded[:, 16:] == (255, 0, 0)).all()


def test_a_transparent_palette_colour_is_white():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 255, 10, 200, 30])
    image.paste(0, (0, 0, 16, 32))
    decoded = np.asarray(decode_photo(encoded(image, "PNG", transparency=0)))
    assert (decoded[:, :16] == 255).all()
    assert (decoded[:, 16:] == (10, 200, 30)).all()


def test_sixteen_bit_grey_is_scaled_not_clipped():
    ramp = (np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 64).astype(np.uint16)
    decoded = np.asarray(decode_photo(encoded(Image.fromarray(ramp), "PNG")))
    assert np.array_equal(decoded[..., 0], ramp >> 8)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_photo_is_refused(share: float):
    whole = photo(1)
    with pytest.raises(ImageError, match=r"damaged|not one of"):
        decode_photo(whole[: int(len(whole) * share)])


def test_an_empty_photo_is_refused():
    with pytest.raises(ImageError, match="empty"):
        decode_photo(b"")


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>",
        encoded(picture(1), "TIFF"),
        encoded(picture(1), "ICO"),
        b"%PDF-1.7 and so on",
    ],
    ids=["svg", "tiff", "ico", "pdf"],
)
def test_other_formats_are_refused_by_content(content: bytes):
    with pytest.raises(ImageError, match="JPEG, PNG, WEBP"):
        decode_photo(content)


def test_a_bomb_is_refused_before_its_pixels_are_decoded():
    header = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    small = bytearray(encoded(picture(1), "PNG"))
    small[16:29] = header  # a 48x64 file that claims 3.6 billion pixels
    small[29:33] = struct.pack(">I", _crc(b"IHDR" + header))
    with pytest.raises(PhotoTooLarge, match="at most 50000000 pixels"):
        decode_photo(bytes(small))


def _crc(data: bytes) -> int:
    import zlib

    return zlib.crc32(data)


def test_limits_name_the_value_and_what_is_accepted():
    with pytest.raises(PhotoTooLarge, match=r"48x64; at most 1000 pixels"):
        decode_photo(photo(1), ImageLimits(pixels=1000))
    with pytest.raises(PhotoTooLarge, match=r"bytes; at most 100 are accepted"):
        decode_photo(photo(1), ImageLimits(bytes=100))
    with pytest.raises(ImageError, match="at least 50 pixels"):
        decode_photo(photo(1), ImageLimits(side=50))


def test_damaged_bytes_never_raise_anything_but_image_errors():
    rng = np.random.default_rng(0)
    whole = [encoded(picture(1), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF")]
    for number in range(400):
        content = bytearray(whole[number % len(whole)])
        for position in rng.integers(0, min(len(content), 300), 4):
            content[position] = rng.integers(256)
        try:
            assert decode_photo(bytes(content)).mode == "RGB"
        except ImageError:
            continue


def test_fit_keeps_the_shape_and_pads_with_white():
    pixels = Preprocessing(height=96, width=72).fit(Image.new("RGB", (200, 100), (0, 0, 0)))
    assert pixels.shape == (96, 72, 3)
    inked = (pixels < 128).all(axis=2)
    assert (inked.any(axis=0).sum(), inked.any(axis=1).sum()) == (72, 36)  # twice as wide as high, as delivered
    assert (pixels[0] == 255).all()


def test_a_large_jpeg_gives_nearly_the_pixels_of_its_small_copy():
    preprocessing = Preprocessing()
    large = picture(3, (768, 1024))
    near = preprocessing.pixels(encoded(large, quality=95)).astype(float)
    exact = preprocessing.fit(large).astype(float)
    assert np.abs(near - exact).mean() < 3  # decoded at 1/8 scale and still the same picture


def test_a_batch_is_its_photos_one_by_one():
    preprocessing, photos = Preprocessing(height=32, width=24), [photo(1), photo(2)]
    batch = preprocessing.batch(photos)
    assert np.array_equal(batch, np.stack([preprocessing.pixels(content) for content in photos]))
    assert preprocessing.batch([]).shape == (0, 32, 24, 3)


def test_the_fingerprint_follows_every_setting():
    changed = [
        Preprocessing(height=97),
        Preprocessing(width=73),
        Preprocessing(mean=(0, 0, 0)),
        Preprocessing(std=(1, 1, 1)),
    ]
    assert len({Preprocessing().fingerprint, *(other.fingerprint for other in changed)}) == 5
    assert Preprocessing().fingerprint == Preprocessing().fingerprint


def test_decoding_reads_nothing_but_the_bytes_given():
    content = photo(1)
    assert np.array_equal(np.asarray(decode_photo(content)), np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
