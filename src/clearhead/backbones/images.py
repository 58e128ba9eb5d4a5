"""How a picture becomes the input of a vision network."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from clearhead.backbones.batch import Batch
from clearhead.errors import BackboneError

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "ImagePreprocessing",
    "Transform",
    "image_preprocessing",
    "noise",
]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}


@dataclass(frozen=True)
class ImagePreprocessing:
    """Cut the centre square, resize it, normalise its values.

    Parameters
    ----------
    size : int
        Height and width of the result, in pixels.
    crop_fraction : float
        Side of the square that is cut, as a fraction of the picture's shorter side.
    mean, std : tuple of 3 floats
        Values 0…255 become (value − mean) / std, for red, green and blue.
    channels_last : bool
        Memory layout; the values are the same, convolutions on CPUs are faster.
    interpolation : {"bicubic", "bilinear", "nearest"}
        How the cut square is resized.
    """

    size: int
    crop_fraction: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels_last: bool = True
    interpolation: str = "bicubic"

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn pictures into one float32 tensor (n, 3, size, size)."""
        pixels = np.stack([np.asarray(self._cut(picture)) for picture in examples])
        values = torch.from_numpy(pixels).permute(0, 3, 1, 2)  # channels last as it comes
        if not self.channels_last:
            values = values.contiguous()
        tensor = values.float()
        tensor.sub_(torch.tensor(self.mean).view(3, 1, 1)).div_(
            torch.tensor(self.std).view(3, 1, 1)
        )
        return Batch(args=(tensor,))

    def _cut(self, picture: Image.Image) -> Image.Image:
        picture = picture.convert("RGB")
        side = self.crop_fraction * min(picture.size)
        left, top = (picture.width - side) / 2, (picture.height - side) / 2
        # one step: cutting and resizing together sample the picture once
        return picture.resize(
            (self.size, self.size),
            _FILTERS[self.interpolation],
            box=(left, top, left + side, top + side),
        )

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        described = asdict(self)
        return {"kind": f"centre crop, {described.pop('interpolation')}", **described}

    def length(self, example: Any) -> int:
        """All pictures are alike once they are resized."""
        return 0


@dataclass(frozen=True)
class Transform:
    """A library's own transform of one picture, for many.

    Parameters
    ----------
    function : callable
        From an RGB picture to a tensor (3, height, width).
    description : mapping
        JSON that says what it does, for the fingerprint.
    """

    function: Callable[[Image.Image], Any]
    description: Mapping[str, Any]

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn pictures into one tensor (n, 3, height, width)."""
        return Batch(args=(torch.stack([self.function(one.convert("RGB")) for one in examples]),))

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        return self.description

    def length(self, example: Any) -> int:
        """All pictures are alike once they are resized."""
        return 0


def image_preprocessing(
    options: Mapping[str, Any] | None = None, **defaults: Any
) -> ImagePreprocessing:
    """Make the preprocessing of a network that says nothing of its own.

    Parameters
    ----------
    options : mapping, optional
        ``size`` (pixels, 224), ``crop`` (the share of the shorter side that is seen, .875),
        ``mean`` and ``std`` (per channel, for values 0…1; ImageNet's), ``interpolation``
        (``"bilinear"``).
    **defaults
        The same, where `options` does not say it.

    Raises
    ------
    BackboneError
        An option is unknown or senseless.
    """
    known = {
        "size": 224,
        "crop": 0.875,
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "interpolation": "bilinear",
    }
    given = dict(options or {})
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise BackboneError(
                f"preprocessing: {name!r} is not an option for images.{hint} Known: "
                f"{', '.join(known)}."
            )
    chosen = {**known, **defaults, **given}
    try:
        size, crop = int(chosen["size"]), float(chosen["crop"])
        mean, std = (_channels(chosen[name]) for name in ("mean", "std"))
    except (TypeError, ValueError) as error:
        raise BackboneError(
            f"preprocessing: {error}. Expected is e.g. size=224, crop=0.875, "
            "mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)."
        ) from error
    if size < 1 or not 0 < crop <= 1 or min(std) <= 0 or max(*mean, *std) > 1:
        raise BackboneError(
            f"preprocessing: size={size} must be at least 1, crop={crop} in (0, 1], and "
            f"mean={mean} and std={std} are for values 0…1."
        )
    if chosen["interpolation"] not in _FILTERS:
        raise BackboneError(
            f"preprocessing: interpolation={chosen['interpolation']!r} is not one of "
            f"{', '.join(_FILTERS)}."
        )
    red, green, blue = (255 * value for value in mean)
    return ImagePreprocessing(
        size=size,
        crop_fraction=crop,
        mean=(red, green, blue),
        std=(255 * std[0], 255 * std[1], 255 * std[2]),
        interpolation=str(chosen["interpolation"]),
    )


def _channels(values: Any) -> tuple[float, float, float]:
    if isinstance(values, (int, float)):
        values = (values,) * 3
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def noise(n: int = 2, size: int = 64) -> list[Image.Image]:
    """Pictures of noise to prove a split on: on zeros a proof could hold by chance."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in pixels]
