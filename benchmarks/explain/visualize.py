"""Feature visualization: does it activate, and at which cost beside a plain loop?

Sampled live features of EfficientNet-Lite0 (those that are not constant on the real pictures):
the share whose picture activates above the 99th percentile of real pictures, by both methods,
and the seconds a feature. The peer is the plain loop, one feature at a time: the same Fourier
parametrisation, colours, optimiser, steps and looks, written out with nothing shared but the
constants. Real pictures come from a folder (one folder a class), or from the package elpv.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from benchmarks.path import machine
from clearhead.backbones import Backbone, open_backbone
from clearhead.data import Dataset, open_dataset
from clearhead.explain import visualize

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


def real_activations(backbone: Backbone, data: Dataset, rows: np.ndarray) -> np.ndarray:
    """Raw features of some real pictures."""
    batches = [rows[i : i + 8] for i in range(0, len(rows), 8)]
    return np.concatenate(
        [backbone.features(backbone.prepare([data.load(int(i)) for i in b])) for b in batches]
    )


def plain_loop(backbone: Backbone, feature: int, steps: int, side: int = 224) -> torch.Tensor:
    """One feature, one picture, one step after the other, as lucid's descendants do it."""
    generator = torch.Generator().manual_seed(feature)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    scale = torch.from_numpy(np.maximum(frequency, 1.0 / side) ** -1.3).float()
    # The middle of a spectrum so scaled has this deviation; 1 is wanted.
    scale = scale / (2.0 * (2.0 * scale.square()).sum() / side**2).sqrt()
    mix = torch.tensor(COLOURS) / torch.tensor(COLOURS).norm(dim=0).max()
    spectrum = 0.3 * torch.randn(3, *scale.shape, 2, generator=generator)
    spectrum.requires_grad_(True)
    optimiser = torch.optim.Adam([spectrum], lr=0.2)

    def picture() -> torch.Tensor:
        signals = torch.fft.irfft2(
            torch.view_as_complex(spectrum) * scale, s=(side, side), norm="ortho"
        )
        return torch.sigmoid(torch.einsum("ck,kij->cij", mix, signals))[None]

    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.1 * (1.0 + math.cos(math.pi * step / steps))
        zoom, angle, down, right = (2.0 * torch.rand(4, generator=generator) - 1.0).tolist()
        zoom, angle = 1.2**zoom, math.radians(10.0 * angle)
        cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
        theta = torch.tensor([[[cos, -sin, 0.16 * right], [sin, cos, 0.16 * down]]])
        grid = functional.affine_grid(theta, [1, 3, side, side], align_corners=False)
        seen = functional.grid_sample(
            picture(), grid, padding_mode="reflection", align_corners=False
        )
        optimiser.zero_grad()
        (-backbone.differentiable_features(2.0 * seen - 1.0)[0, feature]).backward()
        optimiser.step()
    return picture().detach()


def main(arguments: Sequence[str]) -> None:
    """Measure and print; see --help."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explain visualize", description=__doc__
    )
    parser.add_argument("--data", help="folder of real pictures, one folder a class")
    parser.add_argument("--pictures", type=int, default=1000, help="real pictures")
    parser.add_argument("--features", type=int, default=64, help="sampled live features")
    parser.add_argument("--plain", type=int, default=4, help="features of the plain loop")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--methods", nargs="*", default=["fourier", "maco"])
    parser.add_argument("--direction", default="max", choices=["max", "min"])
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    backbone = open_backbone("efficientnet-lite0")
    # The plain loop, too, is spared the gradients of weights.
    backbone.module.requires_grad_(False)
    data = open_dataset(options.data or "elpv")
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(data))[: options.pictures]
    real = real_activations(backbone, data, rows)
    live = np.flatnonzero(real.std(axis=0) > 0)
    chosen = np.sort(rng.choice(live, min(options.features, len(live)), replace=False))
    figures = {
        "machine": machine.describe(torch.get_num_threads()),
        "data": Path(options.data).name if options.data else "elpv",
        "pictures": len(rows),
        "live": len(live),
        "sampled": len(chosen),
        "steps": options.steps,
        "direction": options.direction,
        "threads": torch.get_num_threads(),
        "ways": [],
    }
    images = [data.load(int(i)) for i in rows[:50]]
    for method in options.methods:
        begun = time.perf_counter()
        made = visualize(
            backbone,
            chosen,
            activations=real,
            images=images if method == "maco" else None,
            method=method,
            directions=(options.direction,),
            steps=options.steps,
        )
        seconds = (time.perf_counter() - begun) / len(chosen)
        shares = np.array([one.percentile for one in made])
        beyond = shares > 99 if options.direction == "max" else shares < 1
        figures["ways"].append(
            {
                "way": f"clearhead, {method}, batched",
                "seconds a feature": round(seconds, 3),
                "beyond the 99th percentile": float(beyond.mean()),
                "failed": int(sum(bool(one.failed) for one in made)),
                "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    if options.plain and options.direction == "max":
        begun = time.perf_counter()
        some = chosen[:: max(1, len(chosen) // options.plain)][: options.plain]
        reached = []
        for feature in some:
            seen = plain_loop(backbone, int(feature), options.steps)
            value = backbone.features(2.0 * seen - 1.0)[0, int(feature)]
            reached.append(float(np.mean(real[:, feature] < float(value))) > 0.99)
        figures["ways"].append(
            {
                "way": f"plain Fourier loop, one at a time ({len(some)} features)",
                "seconds a feature": round((time.perf_counter() - begun) / len(some), 3),
                "beyond the 99th percentile": float(np.mean(reached)),
                "failed": len(reached) - sum(reached),
                "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    print(
        f"{figures['sampled']} of {figures['live']} live features, {figures['pictures']} real "
        f"pictures of {figures['data']}, {figures['steps']} steps, {figures['threads']} threads"
    )
    print("| way | s a feature | beyond the 99th percentile | failed | peak MB |")
    print("|---|---|---|---|---|")
    for way in figures["ways"]:
        print(
            f"| {way['way']} | {way['seconds a feature']:.2f} "
            f"| {way['beyond the 99th percentile']:.0%} | {way['failed']} | {way['peak MB']} |"
        )
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
