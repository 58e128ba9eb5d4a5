"""LIME for all features at once beside the lime package: the solve, and its share of the time.

Both packages solve for the same perturbations, kernel and ridge (lime's: 1), one after the
other in one run. lime solves for one output at a time; where it is not given all of them its
time is scaled by their number, and the output says so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearhead import fit_path, open_backbone
from clearhead.backbones import Backbone
from clearhead.data import open_dataset
from clearhead.errors import MissingDependencyError
from clearhead.explain import agreement, explain_gradients, explain_images, explain_texts
from clearhead.explain.lime.perturb import KERNEL_WIDTH, generator_for, kept_parts, proximity
from clearhead.explain.lime.texts import WordSource
from clearhead.explain.ridge import weighted_ridge
from clearhead.layer import DecisionLayer


class Watched:
    """A backbone that counts the seconds in which it prepares batches and computes features."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.seconds, self.rows = 0.0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backbone, name)

    def prepare(self, examples: Any) -> Any:
        return self._timed(self._backbone.prepare, examples)

    def features(self, batch: Any) -> Any:
        self.rows += len(batch)
        return self._timed(self._backbone.features, batch)

    def _timed(self, work: Callable[[Any], Any], given: Any) -> Any:
        begun = time.perf_counter()
        try:
            return work(given)
        finally:
            self.seconds += time.perf_counter() - begun


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain lime", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with sst/; else Rotten Tomatoes")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--perturbations", type=int, default=1000)
    parser.add_argument("--solved", type=int, default=5, help="examples solved by both")
    parser.add_argument("--lime-features", type=int, default=48, help="of 384, for lime's time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--gradients", type=int, default=3, help="features; 0 for none")
    parser.add_argument("--images", type=int, default=0, help="photos of elpv, with Lite0")
    parser.add_argument("--image-perturbations", type=int, default=128)
    options = parser.parse_args(arguments)
    if options.examples:
        texts(options)
    if options.images:
        images(options)


def texts(options: argparse.Namespace) -> None:
    source = "rotten-tomatoes" if options.data is None else options.data / "sst"
    dataset, backbone = open_dataset(source), open_backbone("minilm")
    random = np.random.default_rng(0)
    rows = random.choice(len(dataset), 400 + options.examples, replace=False)
    sentences = [(str(dataset.ids[row]), dataset.load(int(row))) for row in rows]
    layer = fitted(backbone, sentences[:400], np.asarray(dataset.labels)[rows[:400]])
    chosen = sentences[400:]

    watched: Any = Watched(backbone)
    begun = time.perf_counter()
    every = np.arange(backbone.n_features)
    found = explain_texts(
        watched, layer, chosen, features=every, n_perturbations=options.perturbations
    )
    total = time.perf_counter() - begun
    own = total - watched.seconds
    print(
        f"MiniLM on {dataset.name}: {len(chosen)} sentences, {options.perturbations} "
        f"perturbations, {len(every)} features\n"
        f"  {total:.1f} s in all, {total / len(chosen):.2f} s a sentence; the network "
        f"{watched.seconds:.1f} s ({watched.rows / watched.seconds:,.0f} texts/s), LIME's own "
        f"work {own:.2f} s = {own / watched.seconds:.1%} of the network's"
    )
    solves(options, backbone, layer, chosen[: options.solved])
    if options.gradients:
        features = layer.used[: options.gradients]
        try:
            other = explain_gradients(backbone, layer, chosen, found, features=features)
        except MissingDependencyError as error:
            print(f"  agreement with gradients: {error}")
            return
        score = agreement(found, other)
        print(
            f"  LIME and integrated gradients, {len(features)} features of {score.n_examples} "
            f"sentences: Spearman {score.spearman:.2f} {_shown(score.spearman_interval)}, "
            f"Pearson {score.pearson:.2f} {_shown(score.pearson_interval)}"
        )


def _shown(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"({interval[0]:.2f} to {interval[1]:.2f})"


def fitted(backbone: Backbone, sentences: Sequence[Any], labels: Any) -> DecisionLayer:
    """A sparse layer of few sentences: it gives the standardisation, and the features in use."""
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i][1]))
    features = np.empty((len(sentences), backbone.n_features))
    for first in range(0, len(order), 32):
        rows = order[first : first + 32]
        features[rows] = backbone.features(backbone.prepare([sentences[i][1] for i in rows]))
    path = fit_path(features, labels, n_lambdas=20)
    return DecisionLayer.from_path(path, 10)


def solves(
    options: argparse.Namespace, backbone: Backbone, layer: DecisionLayer, chosen: Sequence[Any]
) -> None:
    try:
        from lime.lime_base import LimeBase
    except ImportError as error:
        print(f"  lime is not installed ({error}): pip install lime; its solve was not timed")
        return
    base = LimeBase(kernel_fn=lambda d: np.sqrt(np.exp(-(d**2) / KERNEL_WIDTH**2)), random_state=0)
    source = WordSource(backbone, None)
    seconds = {"ours": 0.0, "lime": 0.0, "ours, used": 0.0, "lime, used": 0.0}
    worst, used, every = 1.0, layer.used, np.arange(backbone.n_features)
    some = np.linspace(0, backbone.n_features - 1, options.lime_features).astype(int)
    for name, text in chosen:
        cut = source.open(text)
        kept = kept_parts(len(cut.parts), options.perturbations, generator_for(0, name))
        items, inverse, _ = source.items([(cut, kept)])
        raw = [
            backbone.features(backbone.prepare(items[first : first + 32])).numpy()
            for first in range(0, len(items), 32)
        ]
        z = layer.standardize(np.concatenate(raw))[inverse]
        present = kept.astype(float)
        distance = 1 - np.sqrt(kept.mean(axis=1))

        def ours(columns: Any, present: Any = present, kept: Any = kept, z: Any = z) -> Any:
            return weighted_ridge(present, z[:, columns], proximity(kept, KERNEL_WIDTH), 1.0)

        def theirs(columns: Any, given: Any = (present, z, distance)) -> Any:
            m = given[0].shape[1]
            return [base.explain_instance_with_data(*given, j, m, "none") for j in columns]

        fit = timed(seconds, "ours", options.repeats, lambda: ours(every))
        peer = timed(seconds, "lime", options.repeats, lambda: theirs(some))
        timed(seconds, "ours, used", options.repeats, lambda: ours(used))
        timed(seconds, "lime, used", options.repeats, lambda: theirs(used))
        for j, (_, pairs, _, _) in zip(some, peer, strict=True):
            coef = np.zeros(kept.shape[1])
            for part, value in pairs:
                coef[part] = value
            worst = min(worst, float(np.corrcoef(coef, fit.coef[:, j])[0, 1]))
    scale = backbone.n_features / len(some)
    ms = {name: 1e3 * value / len(chosen) for name, value in seconds.items()}
    print(
        f"  solve, mean of {len(chosen)} sentences (best of {options.repeats}), ridge 1, same "
        "perturbations; ours includes standard errors\n"
        f"  all {len(every)} features: ours {ms['ours']:.1f} ms, lime {scale * ms['lime']:,.0f} ms "
        f"(timed on {len(some)}, times {scale:.0f}): {scale * ms['lime'] / ms['ours']:.0f} ×\n"
        f"  {len(used)} features in use: ours {ms['ours, used']:.1f} ms, lime "
        f"{ms['lime, used']:.1f} ms: {ms['lime, used'] / ms['ours, used']:.0f} ×\n"
        f"  smallest correlation of the weights of one sentence and feature: {worst:.6f}"
    )


def timed(seconds: dict[str, float], name: str, repeats: int, work: Callable[[], Any]) -> Any:
    best = np.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - begun)
    seconds[name] += best
    return result


def images(options: argparse.Namespace) -> None:
    dataset, backbone = open_dataset("elpv"), open_backbone("efficientnet-lite0")
    p = backbone.n_features
    path_free = DecisionLayer(
        weight=np.ones((2, p)),
        bias=np.zeros(2),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=dataset.class_names,
        certificate=None,  # type: ignore[arg-type]  # nothing was fitted: raw activations
    )
    pictures = [(str(dataset.ids[row]), dataset.load(row)) for row in range(options.images)]
    watched: Any = Watched(backbone)
    begun = time.perf_counter()
    explain_images(watched, path_free, pictures, n_perturbations=options.image_perturbations)
    total = time.perf_counter() - begun
    own = total - watched.seconds
    print(
        f"EfficientNet-Lite0 on elpv: {len(pictures)} pictures, {options.image_perturbations} "
        f"perturbations, {p} features\n  {total / len(pictures):.2f} s a picture; the network "
        f"{watched.rows / watched.seconds:.1f} pictures/s; superpixels, hiding and solving "
        f"{own / len(pictures):.2f} s a picture = {own / watched.seconds:.1%} of the network's"
    )
