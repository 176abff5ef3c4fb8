"""Every photo a stranger may send is decoded or refused in words, at a bounded cost."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lookalike.catalog.images import ImageLimits, Preprocessing, decode_photo
from lookalike.catalog.upright import BAND, on_white
from lookalike.errors import ImageError
from tests.hostile.photos import LARGE, REFUSED, SOUND, animated, picture, pictures, saved

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow tells of damage that it reads around

MOST_MEGABYTES = 450
MOST_SECONDS = 20.0
"""Of processor time; the decoder needs less than a second, an unbounded one hours."""


@pytest.mark.parametrize("name", SOUND)
def test_unusual_photos_are_decoded(name: str):
    assert Preprocessing().pixels(SOUND[name]()).shape == (96, 72, 3)


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_photos_are_refused_in_one_sentence(name: str):
    with pytest.raises(ImageError, match=r"^(the|a) .*photo") as refusal:
        Preprocessing().pixels(REFUSED[name]())
    told = str(refusal.value)
    assert "\n" not in told
    assert "0x" not in told  # no addresses of objects
    assert len(told) < 300


@pytest.mark.slow
@pytest.mark.parametrize(("group", "photos"), [("refused", REFUSED), ("large", LARGE)], ids=["refused", "large"])
def test_no_photo_costs_more_memory_or_time_than_its_limits_allow(group: str, photos: dict[str, object]):
    command = [sys.executable, "-m", "tests.hostile.cost", group]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    measured = json.loads(answer.stdout)
    assert {name for name, *_ in measured} == set(photos)
    for name, seconds, megabytes, refused in measured:
        assert refused == (group == "refused"), name
        assert megabytes < MOST_MEGABYTES, name
        assert seconds < MOST_SECONDS, name


@pytest.mark.slow
def test_of_several_pictures_in_one_file_the_first_alone_costs_anything():
    names = ["JPEG of 50 megapixels", "three JPEGs of 50 megapixels in one"]
    command = [sys.executable, "-m", "tests.hostile.cost", "large", *names]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    (_, seconds, megabytes, _), (_, seconds_of_three, megabytes_of_three, refused) = json.loads(answer.stdout)
    assert not refused
    assert megabytes_of_three < megabytes + 20  # one of 50 megapixels, whole, takes 150
    assert seconds_of_three < 2 * seconds


@pytest.mark.parametrize("at_least", [None, (40, 40)])
def test_of_several_pictures_in_one_file_the_first_is_decoded_as_if_it_were_alone(at_least: tuple[int, int] | None):
    whole = pictures(side=800)
    first = whole[: whole.index(b"\xff\xd9") + 2]
    expected = np.asarray(decode_photo(saved(picture(800, 800)), at_least=at_least))
    for content in (whole, first + bytes(len(whole) - len(first)), first):
        assert np.array_equal(np.asarray(decode_photo(content, at_least=at_least)), expected)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_searched(kind: str):
    decoded = np.asarray(decode_photo(animated(kind)))
    assert np.abs(decoded.astype(int) - (255, 0, 0)).max() < 8


def test_what_hides_behind_a_photo_changes_no_pixel():
    plain = Preprocessing().pixels(saved(picture()))
    for name in ("JPEG then ZIP", "JPEG then HTML", "JPEG with HTML as its comment", "EXIF that leads to itself"):
        assert np.array_equal(Preprocessing().pixels(SOUND[name]()), plain), name


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_bands_give_the_pixels_of_the_whole(mode: str):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (2 * BAND + 7, 5, 4 if mode == "RGBA" else 2), dtype=np.uint8)
    image = Image.fromarray(noise, mode)
    whole = Image.new("RGBA", image.size, "white")
    whole.alpha_composite(image.convert("RGBA"))
    assert np.array_equal(np.asarray(on_white(image)), np.asarray(whole.convert("RGB")))


def test_avif_is_decoded_only_where_it_is_asked_for():
    photo = saved(picture(), "AVIF")
    with pytest.raises(ImageError, match="the photo is AVIF, not one of JPEG, PNG, WEBP, BMP, GIF"):
        decode_photo(photo)
    assert decode_photo(photo, ImageLimits(formats=("JPEG", "AVIF"))).size == (48, 64)
