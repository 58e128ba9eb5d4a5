"""From the pixels of a picture to what a network is called with, measured and proven.

A network's preprocessing takes pictures and gives no gradients. For a picture of the right
size it does nothing but cut a window and normalise the colours, which is an affine map::

    input[:, c, i, j] = sum_k colour[c, k] * pixels[:, k, top + i, left + j] + shift[c]

with pixels in [0, 1]. The size, the window, `colour` and `shift` are measured on plain
pictures and ramps, whatever the preprocessing is; the map is then proven on noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clearhead._types import FloatArray
from clearhead.backbones import Backbone
from clearhead.backbones.batch import Batch
from clearhead.errors import BackboneError

__all__ = ["PixelMap", "measure_pixels"]

_COLOURS = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255))
# Share of the noise's variance that the map explains. A resize by a fraction of a pixel, as
# where 95% of the side are cut, leaves about 0.5%.
_PROVEN = 0.98


@dataclass(frozen=True, eq=False)
class PixelMap:
    """How a picture of one size becomes the network's input.

    Parameters
    ----------
    size : (H, W)
        Of the picture.
    window : (top, left, height, width)
        What the network sees of it; height and width are those of the network's input.
    colour : (c, 3) Tensor
    shift : (c,) Tensor
    explained : float
        Share of the variance of a picture of noise that the map explains; 1 is exact.
    """

    size: tuple[int, int]
    window: tuple[int, int, int, int]
    colour: Tensor
    shift: Tensor
    explained: float
    _template: Batch
    _position: int | str

    @property
    def grey(self) -> bool:
        """Whether colours of equal lightness look alike to the network."""
        return int(torch.linalg.matrix_rank(self.colour, rtol=1e-3)) <= 1

    def input(self, view: Tensor) -> Tensor:
        """Normalise `view` (b, 1 or 3, h, w), which is in the window already."""
        if view.shape[1] == 1:
            view = view.expand(-1, 3, -1, -1)
        mixed = torch.einsum("ck,bkij->bcij", self.colour.to(view.device), view)
        shifted = mixed + self.shift.to(view.device).view(-1, 1, 1)
        return shifted.contiguous(memory_format=torch.channels_last)

    def batch(self, view: Tensor) -> Batch:
        """What the network is called with for `view` (b, 1 or 3, h, w)."""
        n = len(view)

        def filled(value: Any) -> Any:
            whole = isinstance(value, Tensor) and value.ndim and value.shape[0] == 1
            return value.expand(n, *value.shape[1:]) if whole else value

        args = [filled(value) for value in self._template.args]
        kwargs = {name: filled(value) for name, value in self._template.kwargs.items()}
        if isinstance(self._position, int):
            args[self._position] = self.input(view)
        else:
            kwargs[self._position] = self.input(view)
        return Batch(args=tuple(args), kwargs=kwargs)


def measure_pixels(backbone: Backbone) -> PixelMap:
    """Measure how pixels become the input of `backbone`, and prove it.

    Raises
    ------
    BackboneError
        The network takes no pictures, or the map could not be proven: says what.
    """
    if backbone.modality != "image":
        raise BackboneError(
            f"{backbone.name} takes {backbone.modality}s: feature visualization is for networks "
            "of pictures. Words, examples and LIME explain the features of a text network."
        )
    position, size = _picture_tensor(backbone, _example_size(backbone))
    colour, shift, template = _colours(backbone, position, size)
    mapped = PixelMap(size, (0, 0, *size), colour, shift, 0.0, template, position)
    tried = [_fitted(backbone, mapped, candidate) for candidate in _sizes(backbone, mapped)]
    best = max(tried, key=lambda one: one.explained)
    if best.explained < _PROVEN:
        raise _unproven(
            backbone,
            "cuts a window and normalises colours, by one affine map for each pixel",
            f"the best map found explains {best.explained:.0%} of the variance of noise",
        )
    return best


def _unproven(backbone: Backbone, claim: str, why: str) -> BackboneError:
    return BackboneError(
        f"{backbone.name}: it could not be proven that the preprocessing {claim}: {why}. Feature "
        "visualization needs this to send gradients to pixels; examples and LIME work without."
    )


def _example_size(backbone: Backbone) -> tuple[int, int]:
    """Height and width of the pictures in the backbone's example; a guess to start with."""
    for value in (*backbone.example.args, *backbone.example.kwargs.values()):
        if isinstance(value, Tensor) and value.ndim == 4 and value.is_floating_point():
            return int(value.shape[2]), int(value.shape[3])
    return 224, 224


def _plain(size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (size[1], size[0]), colour)


def _values(batch: Batch) -> dict[int | str, Any]:
    values: dict[int | str, Any] = dict(enumerate(batch.args))
    values.update(batch.kwargs)
    return values


def _picture_tensor(backbone: Backbone, size: tuple[int, int]) -> tuple[int | str, tuple[int, int]]:
    """Which value of a batch holds the pictures, and the height and width they have there."""
    values = _values(backbone.prepare([_plain(size, (128, 128, 128))]))
    found = [
        key
        for key, value in values.items()
        if isinstance(value, Tensor) and value.ndim == 4 and value.is_floating_point()
    ]
    if len(found) != 1 or values[found[0]].shape[0] != 1:
        shapes = {
            key: tuple(value.shape) for key, value in values.items() if isinstance(value, Tensor)
        }
        raise _unproven(
            backbone,
            "gives one tensor (n, channels, height, width)",
            f"of one picture it gives {shapes}",
        )
    return found[0], (int(values[found[0]].shape[2]), int(values[found[0]].shape[3]))


def _prepared(backbone: Backbone, position: int | str, pictures: Sequence[Image.Image]) -> Tensor:
    tensor = _values(backbone.prepare(pictures))[position]
    assert isinstance(tensor, Tensor)
    return tensor.detach().float().cpu()


def _colours(
    backbone: Backbone, position: int | str, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Batch]:
    """`colour` and `shift` from black, red, green and blue; and what else a batch holds."""
    batches = [backbone.prepare([_plain(size, colour)]) for colour in _COLOURS]
    middle = [
        _values(batch)[position].float()[0, :, size[0] // 2, size[1] // 2] for batch in batches
    ]
    for key, value in _values(batches[0]).items():
        same = key == position or not isinstance(value, Tensor)
        if not same and not torch.equal(value, _values(batches[1])[key]):
            raise _unproven(backbone, "gives nothing but pixels", f"{key!r} depends on the picture")
    colour = torch.stack([one - middle[0] for one in middle[1:]], dim=1)
    if not bool(colour.abs().max() > 0):
        raise _unproven(
            backbone, "shows the network the picture", "red, green and blue come out as black"
        )
    return colour, middle[0], batches[0]


def _sizes(backbone: Backbone, mapped: PixelMap) -> list[tuple[int, int]]:
    """Sizes at which a picture may not be resized: where pixel j comes from a + 1·j."""
    height, width = mapped.size
    steps = []
    for axis, length in enumerate(mapped.size):
        levels = np.linspace(0.0, 255.0, length)
        ramp = np.broadcast_to(levels[:, None] if axis == 0 else levels, mapped.size)
        picture = Image.fromarray(np.rint(ramp).astype(np.uint8)).convert("RGB")
        tensor = _prepared(backbone, mapped._position, [picture])[0]
        c = int(mapped.colour.sum(1).abs().argmax())
        light = (tensor[c] - mapped.shift[c]) / mapped.colour[c].sum()
        line = light.mean(1 - axis).numpy()[length // 4 : length - length // 4] * (length - 1)
        steps.append(float(np.polyfit(np.arange(len(line)), line, 1)[0]) if len(line) > 1 else 1.0)
    found = [(height, width)]
    if min(steps) > 0.1 and max(steps) < 1.0:
        guess = round(height / steps[0]), round(width / steps[1])
        found += [(guess[0] + more, guess[1] + more) for more in (0, -1, 1, -2, 2)]
    return [size for size in found if size[0] >= height and size[1] >= width]


def _fitted(backbone: Backbone, mapped: PixelMap, size: tuple[int, int]) -> PixelMap:
    """The best window of pictures of one size, and how much of noise the map then explains."""
    height, width = mapped.window[2:]
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    tensor = _prepared(backbone, mapped._position, [Image.fromarray(pixels)])
    best = replace(mapped, size=size)
    if tensor.shape[2:] != (height, width):
        return best
    noise = torch.from_numpy(pixels.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
    for top in _near_middle(size[0] - height):
        for left in _near_middle(size[1] - width):
            seen = mapped.input(noise[:, :, top : top + height, left : left + width])
            explained = _explained(seen.numpy(), tensor.numpy())
            if explained > best.explained:
                best = replace(
                    mapped, size=size, window=(top, left, height, width), explained=explained
                )
    return best


def _near_middle(rest: int) -> list[int]:
    """Where a window may begin: at the edge, or in the middle up to rounding."""
    return sorted({0, *(k for k in range(rest // 2 - 1, rest // 2 + 3) if 0 <= k <= rest)})


def _explained(predicted: FloatArray, actual: FloatArray) -> float:
    rest = float(((predicted - actual) ** 2).mean())
    return 1.0 - rest / max(float(actual.var(axis=(0, 2, 3)).mean()), 1e-12)
