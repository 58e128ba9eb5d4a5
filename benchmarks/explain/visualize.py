"""Feature visualization, many features at once, beside a plain loop over one at a time.

The plain loop is what the reference does, written here as simply as can be: one picture of
decorrelated Fourier coefficients, moved, scaled and turned at random, and Adam, for one feature
after the other. It has the same steps, learning rate and size. All pictures are judged alike: as
PNG through the network's own preprocessing, against the activations of real pictures.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from benchmarks.path import machine
from clearhead import open_backbone, visualize
from clearhead.backbones import Backbone
from clearhead.data import Dataset, open_dataset

SIZE = 224
MEAN, STD = 0.5, 0.5  # of EfficientNet-Lite0
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
BEYOND = 99.0


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explain visualize", description=__doc__
    )
    parser.add_argument("--data", type=Path, help="folder of pictures, a folder a class; else elpv")
    parser.add_argument("--real", type=int, default=400, help="real pictures to compare with")
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--plain", type=int, default=8, help="of them, for the plain loop")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--methods", nargs="+", default=["fourier", "maco"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file")
    a = parser.parse_args(arguments)
    backbone = open_backbone("efficientnet-lite0")
    dataset = open_dataset("elpv" if a.data is None else str(a.data))
    random = np.random.default_rng(a.seed)
    real, pictures = activations(backbone, dataset, random, a.real)
    live = np.flatnonzero(real.std(axis=0) > 0)
    features = random.choice(live, min(a.features, len(live)), replace=False)
    rows = []
    for method in a.methods:
        images = pictures if method == "maco" else None
        begun = time.perf_counter()
        made = visualize(
            backbone, features, activations=real, images=images, method=method,
            directions=("max",), steps=a.steps, seed=a.seed,
        )  # fmt: skip
        seconds = (time.perf_counter() - begun) / len(features)
        rows.append(row(f"clearhead, {method}", seconds, [one.percentile for one in made]))
    if a.plain:
        begun = time.perf_counter()
        reached = [one_at_a_time(backbone, int(one), a.steps) for one in features[: a.plain]]
        seconds = (time.perf_counter() - begun) / len(reached)
        shares = [
            100.0 * float(np.mean(real[:, one] < value))
            for one, value in zip(features, reached, strict=False)
        ]
        rows.append(row("one at a time, fourier", seconds, shares))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"EfficientNet-Lite0, {a.steps} steps at {SIZE} px; {len(features)} of {len(live)} live "
        f"features; percentiles among {len(real)} pictures of {dataset.name}\n"
        f"{'':26s} {'features':>8s} {'s a feature':>12s} {'> 99th':>8s} {'least':>7s}"
    )
    for one in rows:
        print(
            f"{one['what']:26s} {one['features']:8d} {one['seconds_per_feature']:12.2f} "
            f"{one['share_beyond']:8.0%} {one['least_percentile']:7.2f}"
        )
    if a.plain:
        ratio = rows[-1]["seconds_per_feature"] / rows[0]["seconds_per_feature"]
        print(f"one at a time takes {ratio:.2f} × the time of {rows[0]['what']}")
    print(f"peak memory of the process {peak:.2f} GiB")
    if a.out is not None:
        result = {
            "machine": machine.describe(2), "steps": a.steps, "dataset": dataset.name,
            "real": len(real),
            "live": len(live), "features": features.tolist(), "rows": rows, "peak_gib": peak,
        }  # fmt: skip
        a.out.write_text(json.dumps(result, indent=1) + "\n")


def row(what: str, seconds: float, shares: Sequence[float | None]) -> dict[str, Any]:
    known = np.array([share for share in shares if share is not None])
    return {
        "what": what,
        "features": len(known),
        "seconds_per_feature": seconds,
        "share_beyond": float(np.mean(known > BEYOND)),
        "least_percentile": float(known.min()),
    }


def activations(
    backbone: Backbone, dataset: Dataset, random: np.random.Generator, n: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], list[Image.Image]]:
    """Raw features of n pictures drawn at random, and the first 50 of the pictures."""
    rows = random.choice(len(dataset), min(n, len(dataset)), replace=False)
    features, kept = [], []
    for first in range(0, len(rows), 16):
        pictures = [dataset.load(int(one)) for one in rows[first : first + 16]]
        features.append(backbone.features(backbone.prepare(pictures)).numpy())
        kept += [one.convert("RGB") for one in pictures[: max(0, 50 - len(kept))]]
    return np.concatenate(features), kept


def one_at_a_time(backbone: Backbone, feature: int, steps: int) -> float:
    """Optimise one picture for one feature; its activation as a finished picture."""
    generator = torch.Generator().manual_seed(feature)
    rows, columns = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None]
    scale = torch.from_numpy(1.0 / np.maximum(np.hypot(rows, columns), 1.0 / SIZE)).float()
    scale *= SIZE / torch.sqrt(4.0 * scale.square().sum())
    mixing = COLOURS / COLOURS.norm(dim=0).max()
    spectrum = 0.05 * torch.randn(1, 3, *scale.shape, 2, generator=generator)
    spectrum.requires_grad_(True)
    optimiser = torch.optim.Adam([spectrum], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def picture() -> torch.Tensor:
        signals = torch.fft.irfft2(
            torch.view_as_complex(spectrum) * scale, s=(SIZE, SIZE), norm="ortho"
        )
        return torch.sigmoid(torch.einsum("ck,bkij->bcij", mixing, signals))

    for _ in range(steps):
        optimiser.zero_grad()
        moved = transformed(picture(), generator)
        loss = -backbone.differentiable_features((moved - MEAN) / STD)[0, feature]
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        pixels = (255.0 * picture()[0]).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return float(backbone.features(backbone.prepare([Image.fromarray(pixels)]))[0, feature])


def transformed(picture: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Scale by up to 15%, turn by up to 10°, move by up to 6% of the side."""
    zoom, turn, down, right = (2.0 * torch.rand(4, generator=generator) - 1.0).tolist()
    factor, angle = 1.15**zoom, math.radians(10.0 * turn)
    cos, sin = factor * math.cos(angle), factor * math.sin(angle)
    affine = torch.tensor([[[cos, -sin, 0.12 * right], [sin, cos, 0.12 * down]]])
    grid = functional.affine_grid(affine, [1, 3, SIZE, SIZE], align_corners=False)
    return functional.grid_sample(picture, grid, padding_mode="reflection", align_corners=False)
