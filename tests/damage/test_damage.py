"""Damages keep a photo's size, repeat under a seed and grow with severity."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError

from lookalike.catalog.drawing.photograph import STUDIO, photograph
from lookalike.catalog.drawing.wares import draw_design, draw_product
from lookalike.catalog.images import decode_photo
from lookalike.damage import framing, geometry
from lookalike.damage.profiles import (
    DAMAGES,
    PROFILES,
    SEVERITIES,
    SINGLE_DAMAGES,
    DamageProfile,
    damage_image,
    damage_photo,
    find_profile,
)
from lookalike.errors import ConfigError, ImageError


def _shirt(width: int = 72, height: int = 96) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.polygon([(width * x, height * y) for x, y in ((0.2, 0.2), (0.8, 0.25), (0.7, 0.9), (0.3, 0.8))], fill="#246")
    draw.line((width * 0.3, height * 0.3, width * 0.7, height * 0.7), fill="#d81", width=3)
    return image


@pytest.fixture(scope="module")
def drawn_photos() -> list[Image.Image]:
    """Garments, shoes and bags from the sample shop."""
    rng = np.random.default_rng(0)
    designs = [draw_design(position, rng) for position in range(30)]
    sheets = [draw_product(design, design.colours[0], rng).image for design in designs]
    return [decode_photo(photograph(sheet, STUDIO, rng)) for sheet in sheets]


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _psnr(image: Image.Image, damaged: Image.Image) -> float:
    """Peak signal-to-noise ratio in decibels; lower is worse."""
    apart = np.asarray(image, np.float32) - np.asarray(damaged, np.float32)
    return float(10 * np.log10(255**2 / (apart**2).mean()))


def _change(image: Image.Image, damaged: Image.Image) -> float:
    return float(np.abs(np.asarray(image, np.float32) - np.asarray(damaged, np.float32)).mean())


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("size", [(16, 16), (72, 96), (300, 225), (16, 900), (900, 16)])
def test_a_damage_keeps_size_and_mode_and_leaves_its_input_alone(name: str, size: tuple[int, int]) -> None:
    image = _shirt(*size)
    before = np.asarray(image).copy()
    for severity in SEVERITIES:
        damaged = DAMAGES[name](image, np.random.default_rng(severity), severity)
        assert (damaged.size, damaged.mode) == (size, "RGB")
    np.testing.assert_array_equal(np.asarray(image), before)


@pytest.mark.parametrize("name", DAMAGES)
def test_the_same_seed_gives_the_same_pixels(name: str) -> None:
    first, second = (DAMAGES[name](_shirt(), np.random.default_rng(7), 3) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("name", sorted(set(DAMAGES) - {"mirror"}))
def test_every_severity_is_worse_than_the_one_before(name: str, drawn_photos: list[Image.Image]) -> None:
    shown = list(enumerate(drawn_photos * 3))
    ratios = [
        np.mean([_psnr(image, DAMAGES[name](image, np.random.default_rng(seed), severity)) for seed, image in shown])
        for severity in SEVERITIES
    ]
    assert all(milder > worse for milder, worse in pairwise(ratios)), ratios


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_crop_cuts_the_stated_share_of_the_area(severity: int) -> None:
    rows, columns = np.mgrid[0:400, 0:300]  # the photo's own coordinates, as far as 8 bits tell them
    ramp = np.stack([rows * 255 / 399, columns * 255 / 299, rows * 0], axis=2).round().astype(np.uint8)
    for seed in range(20):
        cropped = np.asarray(geometry.crop(Image.fromarray(ramp), np.random.default_rng(seed), severity), np.float64)
        sides = [np.ptp(cropped[..., channel]) / 255 for channel in (0, 1)]
        assert sides[0] * sides[1] == pytest.approx(1 - geometry.CUT_AREAS[severity - 1], abs=0.02)
    assert geometry.CUT_AREAS[2] == 0.4


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_collage_shows_the_whole_photo_smaller(severity: int) -> None:
    image = _shirt(200, 200)
    side = round(200 * framing.MAIN_PANELS[severity - 1])
    whole, middle = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)), (200 - side) // 2
    corners = ((0, middle), (200 - side, middle), (middle, 0), (middle, 200 - side))
    for seed in range(20):
        page = np.asarray(framing.collage(image, np.random.default_rng(seed), severity))
        assert any(np.array_equal(page[top : top + side, left : left + side], whole) for left, top in corners)


def test_strokes_and_captions_lie_on_the_photo() -> None:
    paper = Image.new("RGB", (120, 160), (128, 128, 128))
    for name in ("scribble", "text"):
        for seed in range(50):
            drawn = np.asarray(DAMAGES[name](paper, np.random.default_rng(seed), 1)) != 128
            assert 30 < drawn.any(axis=2).sum() < 120 * 160 / 4


def test_compressing_twice_leaves_no_seam_at_the_edges() -> None:
    plain = Image.new("RGB", (75, 101), (40, 90, 160))
    for seed in range(10):
        assert _change(plain, DAMAGES["double_jpeg"](plain, np.random.default_rng(seed), 1)) < 2


def test_a_shift_pushes_every_photo_the_same_way_and_a_cast_does_not() -> None:
    grey = Image.new("RGB", (32, 32), (128, 128, 128))

    def redness(name: str) -> list[float]:
        shots = [np.asarray(DAMAGES[name](grey, np.random.default_rng(seed), 4), np.float32) for seed in range(20)]
        return [float((shot[..., 0] - shot[..., 2]).mean()) for shot in shots]

    assert min(redness("warm_light")) > 20
    assert max(redness("cold_light")) < -20
    assert min(redness("colour_cast")) < 0 < max(redness("colour_cast"))


def test_the_profile_named_none_changes_nothing() -> None:
    damaged = damage_image(_shirt(), PROFILES["none"], np.random.default_rng(0))
    np.testing.assert_array_equal(np.asarray(damaged), np.asarray(_shirt()))


def test_every_single_damage_has_a_profile_of_its_own() -> None:
    assert {name: find_profile(name).damages for name in SINGLE_DAMAGES} == {
        name: {name: 1.0} for name in SINGLE_DAMAGES
    }


def test_the_training_mix_damages_at_its_stated_rate() -> None:
    profile = DamageProfile(damages={"mirror": 0.25})
    image, rng = _shirt(), np.random.default_rng(3)
    mirrored = np.mean([_change(image, damage_image(image, profile, rng)) > 0 for _ in range(400)])
    assert 0.19 < mirrored < 0.31  # three standard deviations of 400 draws


def test_damaged_photos_are_jpeg_of_the_same_size_and_repeat_under_a_seed() -> None:
    content = _encoded(_shirt())
    first, second, other = (damage_photo(content, "reseller", seed) for seed in (1, 1, 2))
    assert first == second != other
    with Image.open(io.BytesIO(first)) as image:
        assert (image.format, image.size) == ("JPEG", (72, 96))


def test_a_seed_may_name_the_photo_too() -> None:
    content = _encoded(_shirt())
    assert damage_photo(content, "scribble", [5, 1]) != damage_photo(content, "scribble", [5, 2])


def test_a_stated_severity_overrides_the_profiles_own() -> None:
    content = _encoded(_shirt())
    sizes = [len(damage_photo(content, "downscale", 0, severity)) for severity in (1, 5)]
    assert sizes[1] < sizes[0]


def test_wrong_requests_are_refused_with_what_is_accepted() -> None:
    content = _encoded(_shirt())
    with pytest.raises(ConfigError, match="unknown damage profile 'rain'; accepted: none, reseller"):
        damage_photo(content, "rain", 0)
    with pytest.raises(ConfigError, match="severity is 9; accepted: 1 to 5"):
        damage_photo(content, "jpeg", 0, 9)
    with pytest.raises(ImageError, match="0 bytes"):
        damage_photo(b"", "jpeg", 0)
    with pytest.raises(ValidationError, match="unknown damage 'rain'"):
        DamageProfile(damages={"rain": 1.0})
    with pytest.raises(ValidationError, match="accepted: 0 to 1"):
        DamageProfile(damages={"jpeg": 1.5})
    with pytest.raises(ValidationError, match="must rise"):
        DamageProfile(severity=(4, 2))
