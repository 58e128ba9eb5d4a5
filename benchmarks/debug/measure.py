"""What a fault costs, on data in which it was not planted, and what two patterns do alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.debug.plant import Fault, apply
from benchmarks.debug.sources import Examples
from clearhead.backbones import Backbone
from clearhead.layer import DecisionLayer

__all__ = ["Cost", "Unplanted", "cosine", "cost_of", "look"]

MOST = 200


@dataclass(frozen=True)
class Cost:
    """How a layer does on test examples in which nothing was planted.

    Parameters
    ----------
    accuracy : float
        Of all.
    recall : float
        Of the fault's class. A case counts when it is ≥ .10 below the clean twin's.
    balanced : float
        Mean of the recall and of the accuracy on all other classes: what a mend is judged by,
        because favouring the class everywhere would restore its recall alone.
    flips : float
        Share of examples of other classes, not taken for the class, that are with the pattern;
        0 where it was not put in.
    """

    accuracy: float
    recall: float
    balanced: float
    flips: float = 0.0

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return {name: round(float(value), 4) for name, value in asdict(self).items()}


def cost_of(right: np.ndarray, own: np.ndarray, flips: float = 0.0) -> Cost:
    """Measure predictions: where they are right, and which examples are the fault's class."""
    recall, rest = float(right[own].mean()), float(right[~own].mean())
    return Cost(float(right.mean()), recall, (recall + rest) / 2, flips)


class Unplanted:
    """The test split as it was before the fault, as one network sees it."""

    def __init__(self, backbone: Backbone, clean: Examples, fault: Fault) -> None:
        self.backbone, self.fault = backbone, fault
        self.target = clean.class_names.index(fault.target)
        rows = np.flatnonzero(clean.split == "test")
        self.labels = clean.labels[rows]
        items = [clean.items[i] for i in rows]
        self.features = look(backbone, items)
        others = np.flatnonzero(self.labels != self.target)
        chosen = np.random.default_rng(3).permutation(others)[:MOST]
        self.others = np.sort(chosen)
        self.items = [items[i] for i in self.others]
        self.planted = None
        if fault.kind == "pattern":
            changed = [apply(fault.pattern, item, 17, i) for i, item in enumerate(self.items)]
            self.planted = look(backbone, changed)

    def cost(self, layer: DecisionLayer) -> Cost:
        """Measure a layer on the network's features."""
        right = layer.predict(self.features) == self.labels
        flips = 0.0
        if self.planted is not None:
            before = layer.predict(self.features[self.others]) != self.target
            after = layer.predict(self.planted) == self.target
            flips = float((before & after).sum() / max(before.sum(), 1))
        return cost_of(right, self.labels == self.target, flips)

    def alike(self, layer: DecisionLayer, insert: Callable[[Any, int], Any | None]) -> float:
        """Cosine of what a pattern and the planted one do to the same examples.

        Of the mean changes of standardised features, over the examples that `insert` changes.
        """
        if self.planted is None:
            return 0.0
        made = [insert(_shown(item), 1000 + i) for i, item in enumerate(self.items)]
        at = [i for i, one in enumerate(made) if one is not None]
        if len(at) < 10:
            return 0.0
        after = _look(self.backbone, [made[i] for i in at])
        before = self.features[self.others[at]]
        scale = np.where(layer.dead, np.inf, layer.scale)
        return cosine(
            (after - before).mean(axis=0) / scale, (self.planted[at] - before).mean(axis=0) / scale
        )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two directions; 0 where one of them has no length."""
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def look(backbone: Backbone, items: Sequence[Any]) -> np.ndarray:
    """Features (n, p) of examples in memory."""
    return _look(backbone, [_shown(item) for item in items])


def _look(backbone: Backbone, examples: Sequence[Any]) -> np.ndarray:
    order = sorted(range(len(examples)), key=lambda i: backbone.length(examples[i]))
    found = np.empty((len(examples), backbone.n_features), dtype=np.float32)
    for first in range(0, len(order), backbone.batch_size):
        at = order[first : first + backbone.batch_size]
        found[at] = backbone.features(backbone.prepare([examples[i] for i in at])).numpy()
    return found


def _shown(item: Any) -> Any:
    return item if isinstance(item, str) else Image.fromarray(item)
