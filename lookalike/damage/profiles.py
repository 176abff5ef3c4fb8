"""Named mixes of damages: one for training, one per single damage for evaluation, shifts for drift.

Shopsy (arXiv 2210.04560, section 1) names what resellers do to photos: compression, cropping, scribbling.
Training, evaluation and the demo's traffic all take their damage from here.
"""

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image
from pydantic import field_validator

from lookalike.catalog.images import decode_photo
from lookalike.config import StrictConfig
from lookalike.damage import compression, framing, geometry, light, overlays
from lookalike.errors import ConfigError

Damage = Callable[[Image.Image, Generator, int], Image.Image]
"""(RGB image, randomness, severity 1..5) to a damaged RGB image of the same size; the input is not changed.

Every severity is worse than the one before, by mean PSNR over drawn products; `mirror` alone has no degrees.
"""

SEVERITIES = (1, 2, 3, 4, 5)

DAMAGES: dict[str, Damage] = {
    "crop": geometry.crop,
    "rotate": geometry.rotate,
    "mirror": geometry.mirror,
    "colour_cast": light.colour_cast,
    "warm_light": light.warm_light,
    "cold_light": light.cold_light,
    "blur": light.blur,
    "scribble": overlays.scribble,
    "text": overlays.text,
    "logo": overlays.logo,
    "collage": framing.collage,
    "screenshot": framing.screenshot,
    "downscale": compression.downscale,
    "jpeg": compression.jpeg,
    "double_jpeg": compression.double_jpeg,
}
"""In the order in which they happen to a photo: held, lit, drawn upon, arranged, captured, sent."""

SENT_AS_QUALITY = 92
"""JPEG quality of `damage_photo`'s answer, high enough not to be a damage of its own."""


class DamageProfile(StrictConfig):
    """Which damages a photo suffers, how likely, how badly."""

    damages: dict[str, float] = {}
    """Damage name to the probability that it happens; each is drawn on its own."""
    severity: tuple[int, int] = (3, 3)
    """Smallest and largest severity, 1 to 5; drawn anew for every damage."""

    @field_validator("damages")
    @classmethod
    def _known(cls, damages: dict[str, float]) -> dict[str, float]:
        for name, probability in damages.items():
            if name not in DAMAGES:
                raise ValueError(f"unknown damage '{name}'; accepted: {', '.join(DAMAGES)}")
            if not 0 <= probability <= 1:
                raise ValueError(f"the probability of '{name}' is {probability}; accepted: 0 to 1")
        return damages

    @field_validator("severity")
    @classmethod
    def _ordered(cls, severity: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= severity[0] <= severity[1] <= 5:
            raise ValueError(f"severity {severity} must rise and lie within 1 to 5")
        return severity


SINGLE_DAMAGES = tuple(name for name in DAMAGES if name not in ("warm_light", "cold_light"))
"""The damages evaluation measures one by one."""

PROFILES: dict[str, DamageProfile] = {
    "none": DamageProfile(),
    "reseller": DamageProfile(
        damages={
            "crop": 0.5,
            "rotate": 0.25,
            "mirror": 0.5,
            "colour_cast": 0.25,
            "blur": 0.1,
            "scribble": 0.12,
            "text": 0.12,
            "logo": 0.12,
            "collage": 0.04,
            "screenshot": 0.08,
            "downscale": 0.12,
            "jpeg": 0.35,
            "double_jpeg": 0.1,
        },
        severity=(1, 3),
    ),
    "mild": DamageProfile(
        damages={
            "crop": 0.4,
            "rotate": 0.1,
            "mirror": 0.5,
            "colour_cast": 0.05,
            "blur": 0.03,
            "scribble": 0.05,
            "text": 0.05,
            "logo": 0.05,
            "screenshot": 0.03,
            "downscale": 0.05,
            "jpeg": 0.2,
        },
        severity=(1, 2),
    ),
    "heavy": DamageProfile(
        damages={
            "crop": 0.65,
            "rotate": 0.15,
            "mirror": 0.3,
            "colour_cast": 0.2,
            "blur": 0.1,
            "scribble": 0.35,
            "text": 0.2,
            "logo": 0.15,
            "collage": 0.12,
            "screenshot": 0.12,
            "downscale": 0.15,
            "jpeg": 0.35,
            "double_jpeg": 0.1,
        },
        severity=(1, 4),
    ),
    "new_camera": DamageProfile(damages={"warm_light": 1.0, "double_jpeg": 1.0}, severity=(4, 5)),
    "season_shift": DamageProfile(damages={"cold_light": 1.0, "jpeg": 1.0}, severity=(4, 5)),
    **{name: DamageProfile(damages={name: 1.0}) for name in SINGLE_DAMAGES},
}
"""`reseller`, `mild` and `heavy` are mixes for training; the shifts serve the drift demo; the rest is one damage
each."""


def find_profile(name: str) -> DamageProfile:
    """A profile by name. Raises ConfigError listing the known ones."""
    if name not in PROFILES:
        raise ConfigError(f"unknown damage profile '{name}'; accepted: {', '.join(PROFILES)}")
    return PROFILES[name]


def damage_image(
    image: Image.Image, profile: DamageProfile, rng: Generator, severity: int | None = None
) -> Image.Image:
    """Let an RGB image suffer a profile; the size stays. `severity` overrides the profile's own range."""
    lowest, highest = profile.severity if severity is None else (severity, severity)
    for name, damage in DAMAGES.items():
        if rng.random() < profile.damages.get(name, 0.0):
            image = damage(image, rng, int(rng.integers(lowest, highest + 1)))
    return image


def damage_photo(
    content: bytes, profile: str | DamageProfile, seed: int | Sequence[int], severity: int | None = None
) -> bytes:
    """Encoded photo to damaged JPEG bytes, the same for the same seed.

    Raises ImageError for a photo that cannot be decoded, ConfigError for an unknown profile or severity.
    """
    if severity is not None and severity not in SEVERITIES:
        raise ConfigError(f"severity is {severity}; accepted: 1 to 5")
    chosen = find_profile(profile) if isinstance(profile, str) else profile
    damaged = damage_image(decode_photo(content), chosen, np.random.default_rng(seed), severity)
    encoded = io.BytesIO()
    damaged.save(encoded, "JPEG", quality=SENT_AS_QUALITY)
    return encoded.getvalue()
