"""How a picture becomes the input of a vision network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from clearhead.backbones.batch import Batch

__all__ = ["ImagePreprocessing"]


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
    """

    size: int
    crop_fraction: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels_last: bool = True

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
            Image.Resampling.BICUBIC,
            box=(left, top, left + side, top + side),
        )

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        return {"kind": "centre crop, bicubic", **asdict(self)}

    def length(self, example: Any) -> int:
        """All pictures are alike once they are resized."""
        return 0
