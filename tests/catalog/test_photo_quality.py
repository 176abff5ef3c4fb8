"""What a photo's header and the model's pixels say about how it was made."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lookalike.catalog.photo_quality import photo_header, sharpness

RNG = np.random.default_rng(0)
NOISE = Image.fromarray(RNG.integers(0, 255, (60, 40, 3), dtype=np.uint8))


def encoded(kind: str = "JPEG", **how: object) -> bytes:
    buffer = io.BytesIO()
    NOISE.save(buffer, kind, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95])
def test_the_quality_a_photo_was_saved_at_is_read_from_its_table(quality: int) -> None:
    header = photo_header(encoded(quality=quality))
    assert header.jpeg_quality == pytest.approx(quality, abs=0.5)
    assert (header.width, header.height) == (40, 60)


def test_only_the_last_saving_is_seen() -> None:
    with Image.open(io.BytesIO(encoded(quality=20))) as coarse:
        buffer = io.BytesIO()
        coarse.save(buffer, "JPEG", quality=90)
    assert photo_header(buffer.getvalue()).jpeg_quality == pytest.approx(90, abs=0.5)


def test_a_photo_that_is_no_jpeg_has_no_quality() -> None:
    assert photo_header(encoded("PNG")).jpeg_quality is None


def test_a_photo_on_its_side_has_the_size_a_person_sees() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn right
    assert photo_header(encoded(exif=exif))[:2] == (60, 40)


def test_sharpness_is_the_variance_of_the_laplacian_of_green() -> None:
    pixels = RNG.integers(0, 255, (9, 7, 3), dtype=np.uint8)
    green = pixels[:, :, 1].astype(float)
    naive = [
        green[y - 1, x] + green[y + 1, x] + green[y, x - 1] + green[y, x + 1] - 4 * green[y, x]
        for y in range(1, 8)
        for x in range(1, 6)
    ]
    assert sharpness(pixels) == pytest.approx(np.var(naive), rel=1e-4)


def test_every_blur_is_less_sharp_than_the_one_before() -> None:
    values = [sharpness(np.asarray(NOISE.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.full((9, 7, 3), 200, np.uint8)) == 0
