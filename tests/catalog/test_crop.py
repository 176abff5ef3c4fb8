"""Cropping by request is cropping the photo beforehand."""

import io

import numpy as np
import pytest
from PIL import Image

from lookalike.catalog.crop import Crop
from lookalike.catalog.images import Preprocessing, decode_photo
from lookalike.errors import ImageError, QueryError

MODEL = Preprocessing(height=48, width=36)
CROPS = [Crop(0, 0, 1, 1), Crop(0.25, 0.1, 0.75, 0.6), Crop(0, 0.5, 0.05, 0.6), Crop(0.9, 0, 1, 1)]
WIDTH, HEIGHT = 600, 400


def scene() -> Image.Image:
    """Smooth colours with a fine pattern of its own in every place."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = [np.sin(columns / 37) + np.cos(rows / 23), np.sin(rows / 11), np.cos((rows + columns) / 53)]
    return Image.fromarray((np.stack(channels, axis=-1) * 60 + 128).astype(np.uint8))


def encoded(image: Image.Image, kind: str, orientation: int = 1, **how: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **how)
    return file.getvalue()


@pytest.mark.parametrize("crop", CROPS)
def test_a_png_gives_exactly_the_pixels_of_the_part_cut_out_before(crop: Crop) -> None:
    part = scene().crop(crop.box(WIDTH, HEIGHT))
    cropped = MODEL.pixels(encoded(scene(), "PNG"), crop=crop)
    np.testing.assert_array_equal(cropped, MODEL.pixels(encoded(part, "PNG")))


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_gives_about_those_pixels_whichever_way_it_is_stored(crop: Crop, orientation: int) -> None:
    turns = {1: 0, 3: 180, 6: 90, 8: 270}  # counter-clockwise, what the viewer's turn undoes
    stored = scene().rotate(turns[orientation], expand=True)
    part = scene().crop(crop.box(WIDTH, HEIGHT))
    cropped = MODEL.pixels(encoded(stored, "JPEG", orientation, quality=95), crop=crop).astype(int)
    before = MODEL.pixels(encoded(part, "PNG")).astype(int)
    assert np.abs(cropped - before).mean() < 4


def test_a_small_part_of_a_large_jpeg_keeps_its_detail() -> None:
    crop = Crop(0.5, 0.5, 0.55, 0.56)
    photo = encoded(scene(), "JPEG", quality=95)
    assert decode_photo(photo, at_least=(36, 48), crop=crop).size == (30, 24)  # every pixel there is
    whole = decode_photo(photo, at_least=(36, 48))
    assert whole.size == (75, 50)  # an eighth, which still covers the model's input


def test_uncropped_preprocessing_is_the_same_as_before_crops() -> None:
    assert Preprocessing().fingerprint == "d1abb6e6fa61db69bbd6d202be8c94abccb9ae56d2f841b9a7856b880764f4be"
    photo = encoded(scene(), "JPEG")
    np.testing.assert_array_equal(MODEL.pixels(photo), MODEL.fit(decode_photo(photo, at_least=(36, 48))))


def test_a_part_without_pixels_worth_a_look_is_refused() -> None:
    with pytest.raises(ImageError, match="the cropped part is 6x4; each side needs at least 16 pixels"):
        decode_photo(encoded(scene(), "PNG"), crop=Crop(0.5, 0.5, 0.51, 0.51))
    with pytest.raises(ImageError, match="the cropped part is 1x1"):
        decode_photo(encoded(scene(), "JPEG"), at_least=(36, 48), crop=Crop(0.5, 0.5, 0.5 + 1e-16, 0.5 + 1e-16))


@pytest.mark.parametrize(
    "crop", [(0, 0, 0, 1), (0.5, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, float("nan"), 1, 1)]
)
def test_a_rectangle_that_is_none_is_refused(crop: tuple[float, float, float, float]) -> None:
    with pytest.raises(QueryError, match="left before right and top before bottom"):
        Crop(*crop).require_area()


def test_a_box_is_the_nearest_whole_pixels_and_never_empty() -> None:
    assert Crop(0.25, 0, 0.75, 1).box(10, 3) == (2, 0, 8, 3)
    assert Crop(0.999, 0.999, 1, 1).box(10, 10) == (9, 9, 10, 10)
    assert Crop(0, 0, 1e-9, 1e-9).box(10, 10) == (0, 0, 1, 1)
