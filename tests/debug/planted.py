"""Layers and splits that the tests of the checks share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clearhead.debug import SplitView, TrainView
from clearhead.glm import fit_path
from clearhead.layer import Certificate, DecisionLayer

CERTIFICATE = Certificate("multinomial", 0.01, 0.99, 1e-5, 1e-3, "optimal")


def plain_layer(weight: np.ndarray, bias: np.ndarray | None = None) -> DecisionLayer:
    """A layer on features that are standardised already."""
    k, p = weight.shape
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(k) if bias is None else bias,
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=tuple(f"class{c}" for c in range(k)),
        certificate=CERTIFICATE,
    )


def view_of(
    layer: DecisionLayer,
    X: np.ndarray,
    y: np.ndarray,
    name: str = "e",
    metadata: pd.DataFrame | None = None,
    extra: pd.DataFrame | None = None,
) -> SplitView:
    ids = np.array([f"{name}{i}" for i in range(len(y))], dtype=object)
    frame = pd.DataFrame(index=range(len(y))) if metadata is None else metadata
    return SplitView.of(layer, layer, X, y, ids=ids, metadata=frame, extra=extra)


def random_view(seed: int, n: int = 60, k: int = 4, u: int = 7) -> SplitView:
    """A random layer, and random examples of which most are wrong."""
    rng = np.random.default_rng(seed)
    layer = plain_layer(rng.normal(size=(k, u)), rng.normal(size=k))
    return view_of(layer, rng.normal(size=(n, u)), rng.integers(k, size=n))


def draw(rng: np.random.Generator, n: int, k: int = 3, p: int = 12) -> tuple[np.ndarray, ...]:
    """Classes that overlap a little, each carried by features of its own."""
    y = rng.integers(k, size=n)
    X = rng.normal(size=(n, p))
    X[np.arange(n), y] += 1.6
    X[np.arange(n), y + k] += 1.6
    return X, y


def fitted(
    parts: dict[str, tuple[np.ndarray, np.ndarray]],
    metadata: dict[str, pd.DataFrame] | None = None,
) -> tuple[TrainView, SplitView, SplitView]:
    """Fit a layer to the training part; the three views."""
    X, y = parts["train"]
    names = [f"class{c}" for c in range(int(y.max()) + 1)]
    path = fit_path(X, y, family="multinomial", lambdas=[0.05, 0.02], class_names=names)
    layer = DecisionLayer.from_path(path, 1)
    frames = metadata or {}
    ids = np.array([f"train{i}" for i in range(len(y))], dtype=object)
    return (
        TrainView(layer, X, y, ids),
        view_of(layer, *parts["validation"], "validation", frames.get("validation")),
        view_of(layer, *parts["test"], "test", frames.get("test")),
    )
