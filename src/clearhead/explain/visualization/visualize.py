"""Which pictures activate a feature most, and least? Made by optimisation, many at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from clearhead._files import checksum, fingerprint
from clearhead._types import FloatArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import BackboneError, CorruptFileError, InputError, StepMissingError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain.visualization.fourier import Fourier, Parametrisation
from clearhead.explain.visualization.maco import Maco
from clearhead.explain.visualization.optimise import Job, frozen, measure, optimise
from clearhead.explain.visualization.pixels import PixelMap, measure_pixels
from clearhead.explain.visualization.result import (
    Direction,
    FeatureVisualization,
    Method,
    load_visualizations,
    save_visualizations,
)
from clearhead.explain.visualization.transforms import Transforms
from clearhead.layer import DecisionLayer

__all__ = ["RealActivations", "visualize"]

STEP = "explain"
# EfficientNet-Lite0: 64 steps reach what 32 do (median 36 and 35 standard deviations above
# real pictures) in twice the time.
DEFAULT_STEPS = 32
# Next to an activation, so that ties with real examples are told by what is below.
_TIE = 1e-6
# Beyond this share of real examples a picture counts as activating its feature.
_ACTIVE = 95.0
# Pixels a batch on a CPU: beyond about this, a network's activations leave the caches, and
# batches of 8 are slower than two of 4 (EfficientNet-Lite0, 224 px: 31 and 39 pictures/s).
_CPU_PIXELS = 4 * 224 * 224
_GPU_BATCH = 64


@runtime_checkable
class RealActivations(Protocol):
    """Anything that knows how strongly real examples activate a feature."""

    def percentile(self, feature: int, activation: float) -> float:
        """Share of examples, in percent, that activate `feature` at most as `activation`."""


def visualize(
    backbone: Backbone,
    features: Sequence[int] | IntArray,
    *,
    layer: DecisionLayer | None = None,
    activations: RealActivations | FloatArray | None = None,
    images: Sequence[Image.Image] | None = None,
    method: Method = "fourier",
    directions: Sequence[Direction] = ("max", "min"),
    seeds: int = 1,
    steps: int = DEFAULT_STEPS,
    size: int | None = None,
    start: Image.Image | Mapping[int, Image.Image] | None = None,
    transforms: Transforms | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    on_event: EventCallback | None = None,
    folder: Path | str | None = None,
) -> list[FeatureVisualization]:
    """Make pictures that activate features as much, or as little, as can be.

    For feature f the picture x maximises (``"min"``: minimises) the mean over random looks T
    (moved, scaled, turned) of ``z_f(T(x))``, z being standardised by the layer, over the
    phases (``"maco"``) or the scaled spectrum (``"fourier"``) of x.

    Parameters
    ----------
    backbone : Backbone
        A network of pictures that torch can differentiate.
    features : sequence of int
        Indices of deep features.
    layer : DecisionLayer, optional
        Standardises activations; without it they are raw.
    activations : ExampleIndex or ndarray of shape (n, p), optional
        Of real examples, to say how extreme the pictures are: an index that standardises by
        the same layer, or raw deep features.
    images : sequence of RGB pictures, optional
        For ``"maco"``: real examples whose mean spectrum is kept; 1/f if not given.
    method : {"fourier", "maco"}
    directions : sequence of {"max", "min"}
    seeds : int
        Pictures for each feature and direction, from unlike starts.
    steps : int
        Of Adam.
    size : int, optional
        Height at which the network is shown the pictures during optimisation, for one that
        takes any size; its own size by default. The final activation is measured at its own.
    start : picture, or mapping from feature to picture, optional
        Real pictures to start from, in place of random ones.
    transforms : Transforms, optional
        The random looks.
    batch_size : int, optional
        Pictures optimised together; chosen by their size if not given.
    seed : int
        The same seed gives the same pictures, up to the rounding of other batches.
    on_event : callable, optional
        Called with progress and with what failed.
    folder : Path or str, optional
        Finished pictures are kept there, and not made again.

    Returns
    -------
    list of FeatureVisualization
        In the order of `features`, then `directions`, then seeds.

    Raises
    ------
    BackboneError
        The network is of texts, has no gradients, or its preprocessing could not be proven
        to be an affine map of pixels.
    InputError
        An argument is wrong; a feature is not there or constant.

    References
    ----------
    Olah, Mordvintsev and Schubert, Feature Visualization, Distill 2017; Fel et al., MaCo,
    NeurIPS 2023.
    """
    _check_options(method, directions)
    _check_counts(seeds=seeds, steps=steps, size=size, batch_size=batch_size)
    jobs = _jobs(backbone, features, layer, directions, seeds)
    percentile = _percentile_of(activations, backbone, layer)
    if backbone.modality == "image":
        _require_gradients(backbone)
    mapped = measure_pixels(backbone)
    transforms = transforms or Transforms()
    starts = _starts(jobs, start, mapped)
    parametrisation = _parametrisation(method, mapped, images)
    height, width = mapped.window[2:]
    view = (height, width) if size is None else (size, max(1, round(size * width / height)))
    settings = {
        **backbone.fingerprints,
        "method": method,
        "steps": steps,
        "view": view,
        "transforms": asdict(transforms),
        "seed": seed,
        "rate": parametrisation.rate,
        "magnitude": None if images is None else _fingerprint_of(parametrisation),
    }
    keys = [fingerprint({**settings, **asdict(job), "start": _digest(one)})
            for job, one in zip(jobs, starts, strict=True)]  # fmt: skip
    kept = _kept(folder)
    done = {
        key: replace(kept[key], **_judged(job, kept[key].activation, percentile))
        for job, key in zip(jobs, keys, strict=True)
        if key in kept
    }
    todo = [i for i, key in enumerate(keys) if key not in done]
    together = batch_size or _batch_size(backbone, view)
    emit(on_event, Event(STEP, "start", "feature visualization", len(done), len(jobs), "pictures"))
    for first in range(0, len(todo), together):
        rows = todo[first : first + together]
        batch = [jobs[i] for i in rows]
        pictures = optimise(
            backbone,
            mapped,
            parametrisation,
            batch,
            steps=steps,
            view=view,
            transforms=transforms,
            seed=seed,
            start=[starts[i] for i in rows],
        )
        reached = measure(backbone, batch, pictures)
        for i, job, picture, value in zip(rows, batch, pictures, reached, strict=True):
            done[keys[i]] = FeatureVisualization(
                feature=job.feature,
                direction=job.direction,
                seed=job.seed,
                method=method,
                steps=steps,
                picture=picture,
                activation=float(value),
                key=keys[i],
                **_judged(job, float(value), percentile),
            )
        if folder is not None:
            save_visualizations(_merged(kept, done), folder)
        emit(on_event, Event(STEP, "progress", "", len(done), len(jobs), "pictures"))
    found = [done[key] for key in keys]
    failed = [one for one in found if one.failed]
    if failed:
        message = f"{len(failed)} of {len(found)} pictures failed to activate: "
        emit(on_event, Event(STEP, "warning", message + failed[0].describe()))
    emit(on_event, Event(STEP, "end", "feature visualization", len(jobs), len(jobs), "pictures"))
    return found


def _check_options(method: str, directions: Sequence[str]) -> None:
    if method not in get_args(Method):
        raise InputError(f"method={method!r}: it must be 'fourier' or 'maco'.")
    wrong = [one for one in directions if one not in get_args(Direction)]
    if wrong or isinstance(directions, str) or not directions:
        raise InputError(
            f"directions={directions!r}: expected a sequence of 'max' and 'min', e.g. ('max',)."
        )


def _check_counts(**counts: int | None) -> None:
    for name, value in counts.items():
        if value is not None and value < 1:
            raise InputError(f"{name}={value}: it must be at least 1.")


def _jobs(
    backbone: Backbone,
    features: Sequence[int] | IntArray,
    layer: DecisionLayer | None,
    directions: Sequence[Direction],
    seeds: int,
) -> list[Job]:
    p = backbone.n_features
    wanted = list(dict.fromkeys(int(one) for one in features))
    outside = [one for one in wanted if not 0 <= one < p]
    if outside:
        raise InputError(
            f"features: {outside[0]} is not one of the {p} deep features of {backbone.name}; they "
            f"are numbered 0 … {p - 1}."
        )
    center: FloatArray = np.zeros(p)
    scale: FloatArray = np.ones(p)
    if layer is not None:
        if layer.weight.shape[1] != p:
            raise InputError(
                f"layer: it was fitted on {layer.weight.shape[1]} features, {backbone.name} has "
                f"{p}. Give the layer of this network."
            )
        constant = [one for one in wanted if layer.dead[one]]
        if constant:
            raise InputError(
                f"features: {', '.join(map(str, constant[:8]))} are constant on the training "
                "split, so they have no standard deviation and the layer does not use them. Leave "
                "them out, or leave layer= out to see what they respond to at all."
            )
        center, scale = layer.center, layer.scale
    return [
        Job(feature, direction, number, float(center[feature]), float(scale[feature]))
        for feature in wanted
        for direction in directions
        for number in range(seeds)
    ]


def _percentile_of(
    activations: RealActivations | FloatArray | None,
    backbone: Backbone,
    layer: DecisionLayer | None,
) -> Callable[[Job, float], float] | None:
    if activations is None:
        return None
    if isinstance(activations, RealActivations):
        index = activations
        # A picture that reaches the floor of a ReLU has no real example below it.
        return lambda job, value: float(
            index.percentile(job.feature, value - _TIE * max(1.0, abs(value)))
        )
    real = np.asarray(activations)
    if real.ndim != 2 or real.shape[1] != backbone.n_features or not len(real):
        raise InputError(
            f"activations: expected raw deep features of shape (n, {backbone.n_features}), got "
            f"{real.shape}."
        )

    def share_below(job: Job, value: float) -> float:
        z = (real[:, job.feature].astype(np.float64) - job.center) / job.scale
        return 100.0 * float(np.mean(z < value - _TIE * max(1.0, abs(value))))

    return share_below


def _judged(
    job: Job, activation: float, percentile: Callable[[Job, float], float] | None
) -> dict[str, Any]:
    """Fields `percentile` and `failed`."""
    if percentile is None:
        return {"percentile": None, "failed": None}
    share = percentile(job, activation)
    failed = share < _ACTIVE if job.direction == "max" else share > 100.0 - _ACTIVE
    return {"percentile": share, "failed": failed}


def _require_gradients(backbone: Backbone) -> None:
    """Refuse a network through which torch can send no gradient to pixels."""

    def leaf(value: Any) -> Any:
        floating = isinstance(value, Tensor) and value.is_floating_point()
        return value.detach().clone().requires_grad_() if floating else value

    example = Batch(
        args=tuple(map(leaf, backbone.example.args)),
        kwargs={name: leaf(value) for name, value in backbone.example.kwargs.items()},
    )
    try:
        with torch.enable_grad(), frozen(backbone.module):
            backbone.differentiable_features(example)
    except BackboneError as error:
        raise BackboneError(
            f"Feature visualization needs gradients, and {backbone.name} gives none "
            f"({str(error).splitlines()[0]}). Open the network in torch; examples and LIME work "
            "with this one, too."
        ) from error


def _parametrisation(
    method: Method, mapped: PixelMap, images: Sequence[Image.Image] | None
) -> Parametrisation:
    if method == "fourier":
        return Fourier(mapped.size)
    pictures = None
    if images is not None and len(images):
        pictures = torch.cat([_pixels(one, mapped) for one in images])
    return Maco(mapped.size, 1 if mapped.grey else 3, pictures)


def _fingerprint_of(parametrisation: Parametrisation) -> str | None:
    return _digest(parametrisation.magnitude) if isinstance(parametrisation, Maco) else None


def _digest(tensor: Tensor | None) -> str | None:
    return None if tensor is None else checksum(tensor.contiguous().numpy().tobytes())


def _starts(
    jobs: list[Job], start: Image.Image | Mapping[int, Image.Image] | None, mapped: PixelMap
) -> list[Tensor | None]:
    if start is None:
        return [None] * len(jobs)
    if isinstance(start, Image.Image):
        return [_pixels(start, mapped)] * len(jobs)
    given = {feature: _pixels(picture, mapped) for feature, picture in start.items()}
    return [given.get(job.feature) for job in jobs]


def _pixels(picture: Image.Image, mapped: PixelMap) -> Tensor:
    """A picture (1, c, H, W) in [0, 1]: its middle, at the size that is optimised."""
    height, width = mapped.size
    fitted = ImageOps.fit(picture.convert("RGB"), (width, height), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.asarray(fitted, dtype=np.float32) / 255.0)
    pixels = pixels.permute(2, 0, 1)[None]
    return pixels.mean(1, keepdim=True) if mapped.grey else pixels


def _batch_size(backbone: Backbone, view: tuple[int, int]) -> int:
    if backbone.device.type != "cpu":
        return _GPU_BATCH
    return max(1, math.floor(_CPU_PIXELS / (view[0] * view[1])))


def _kept(folder: Path | str | None) -> dict[str, FeatureVisualization]:
    """What an earlier call finished, by key; nothing if it cannot be read."""
    if folder is None:
        return {}
    try:
        return {one.key: one for one in load_visualizations(folder)}
    except (StepMissingError, CorruptFileError):
        return {}


def _merged(
    kept: Mapping[str, FeatureVisualization], done: Mapping[str, FeatureVisualization]
) -> list[FeatureVisualization]:
    """What the folder holds from now on: a picture made anew takes its forerunner's place."""
    places = {(one.feature, one.direction, one.seed, one.method): one for one in kept.values()}
    places |= {(one.feature, one.direction, one.seed, one.method): one for one in done.values()}
    return list(places.values())
