"""Optimise a batch of pictures, each for a feature of its own."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from clearhead._types import FloatArray
from clearhead.backbones import Backbone
from clearhead.errors import BackboneError
from clearhead.explain.visualization.fourier import Parametrisation
from clearhead.explain.visualization.pixels import PixelMap
from clearhead.explain.visualization.redirected import RedirectedRectifiers
from clearhead.explain.visualization.result import Direction, Picture
from clearhead.explain.visualization.transforms import Transforms, look

__all__ = ["Job", "frozen", "measure", "optimise"]


@dataclass(frozen=True)
class Job:
    """One picture to be made.

    Parameters
    ----------
    feature : int
    direction : {"max", "min"}
    seed : int
    center, scale : float
        Standardise the feature.
    """

    feature: int
    direction: Direction
    seed: int
    center: float
    scale: float

    def generator(self, seed: int) -> torch.Generator:
        """Random numbers of this picture alone, whatever is made beside it."""
        keys = [seed, self.seed, self.feature, int(self.direction == "min")]
        state = np.random.SeedSequence(keys).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Let no parameter require gradients; put each back as it was on leaving."""
    learning = [one for one in module.parameters() if one.requires_grad]
    for one in learning:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in learning:
            one.requires_grad_(True)


def optimise(
    backbone: Backbone,
    mapped: PixelMap,
    parametrisation: Parametrisation,
    jobs: list[Job],
    *,
    steps: int,
    view: tuple[int, int],
    transforms: Transforms,
    seed: int,
    start: list[Tensor | None],
) -> list[Picture]:
    """Climb the sum of the jobs' activations by Adam, its rate falling as a cosine.

    Parameters
    ----------
    backbone, mapped, parametrisation
    jobs : list of Job
        One batch.
    steps : int
    view : (h, w)
        Size at which the network is shown the pictures meanwhile.
    transforms : Transforms
    seed : int
    start : list of (1, c, H, W) Tensor or None
        A picture in [0, 1] to begin with, for each job.

    Returns
    -------
    list of (H, W, C) uint8 ndarray
    """
    channels = 1 if mapped.grey else 3
    generators = [job.generator(seed) for job in jobs]
    begun = [
        parametrisation.start(channels, generator)
        if picture is None
        else parametrisation.inverse(picture)
        for picture, generator in zip(start, generators, strict=True)
    ]
    looks = torch.stack([transforms.draw(steps, generator) for generator in generators], dim=1)
    parameters = torch.stack(begun).to(backbone.device).requires_grad_(True)
    optimiser = torch.optim.Adam([parameters], lr=parametrisation.rate)
    climb = _Climb(backbone, mapped, jobs)
    with torch.enable_grad(), frozen(backbone.module):
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = parametrisation.rate * _falling(step / steps)
            seen = look(
                parametrisation.pixels(parameters), looks[step].to(parameters), mapped.window, view
            )
            if transforms.noise:
                seen = seen + transforms.noise * _noise(seen, generators)
            (parameters.grad,) = torch.autograd.grad(seen, parameters, climb.gradient(seen))
            optimiser.step()
    with torch.no_grad():
        pixels = (255.0 * parametrisation.pixels(parameters)).round().to(torch.uint8)
    return list(pixels.permute(0, 2, 3, 1).cpu().numpy())


def _falling(part: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * part))


def _noise(like: Tensor, generators: list[torch.Generator]) -> Tensor:
    drawn = [torch.randn(like.shape[1:], generator=generator) for generator in generators]
    return torch.stack(drawn).to(like)


class _Climb:
    """Gradients of the jobs' activations; redirected for the pictures that have none."""

    def __init__(self, backbone: Backbone, mapped: PixelMap, jobs: list[Job]) -> None:
        self.backbone, self.mapped = backbone, mapped
        signs = [(1.0 if job.direction == "max" else -1.0) / job.scale for job in jobs]
        self.weight = torch.tensor(signs)
        self.columns = torch.tensor([job.feature for job in jobs])
        # At its end, such as the floor of a ReLU when it is minimised.
        self.settled = torch.zeros(len(jobs), dtype=torch.bool)

    def gradient(self, seen: Tensor) -> Tensor:
        """Of the loss, minus the sum of activations, to what the network sees (b, c, h, w)."""
        gradient = self._of(seen, torch.arange(len(seen)))
        dead = gradient.flatten(1).abs().amax(1).cpu() == 0
        rows = torch.nonzero(dead & ~self.settled)[:, 0]
        if len(rows):
            # Redirection costs passes over all activations, so only where it is needed.
            with RedirectedRectifiers():
                redirected = self._of(seen[rows], rows)
            gradient[rows] = redirected
            self.settled[rows] = redirected.flatten(1).abs().amax(1).cpu() == 0
        return gradient

    def _of(self, seen: Tensor, rows: Tensor) -> Tensor:
        seen = seen.detach().requires_grad_(True)
        features = self.backbone.differentiable_features(self.mapped.batch(seen))
        if not bool(torch.isfinite(features).all()):
            raise BackboneError(
                f"{self.backbone.name} gives NaN or infinity on a picture that is being optimised."
            )
        reached = features[torch.arange(len(rows)), self.columns[rows]]
        (gradient,) = torch.autograd.grad(-(reached * self.weight[rows].to(reached)).sum(), seen)
        return gradient


def measure(backbone: Backbone, jobs: list[Job], pictures: list[Picture]) -> FloatArray:
    """Activation of each finished picture for its feature, as any user would measure it."""
    from PIL import Image

    shown = [
        Image.fromarray(one[:, :, 0] if one.shape[2] == 1 else one).convert("RGB")
        for one in pictures
    ]
    features = backbone.features(backbone.prepare(shown)).numpy().astype(np.float64)
    return np.array(
        [(features[i, job.feature] - job.center) / job.scale for i, job in enumerate(jobs)]
    )
