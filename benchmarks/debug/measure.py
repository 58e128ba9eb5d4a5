"""What a fault costs, on data in which it was not planted, and what two patterns do alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.debug.plant import Fault, apply
from benchmarks.debug.sources import Examples
from clearhead.backbones import Backbone
from clearhead.debug.pattern import Pattern
from clearhead.layer import DecisionLayer

__all__ = ["Alike", "Cost", "Unplanted", "cosine", "cost_of", "look"]

MOST = 200
FEWEST = 10
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


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


@dataclass(frozen=True)
class Alike:
    """How far a finding's pattern and the planted one are the same thing.

    Parameters
    ----------
    cosine : float
        Of the mean changes of standardised features when each is put into the same examples.
    shown : float
        Share of the examples that show the finding's pattern once the planted one is put in,
        less the share that show it without.
    """

    cosine: float
    shown: float


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
            self.changed = [apply(fault.pattern, item, 17, i) for i, item in enumerate(self.items)]
            self.planted = look(backbone, self.changed)

    def cost(self, layer: DecisionLayer) -> Cost:
        """Measure a layer on the network's features."""
        right = layer.predict(self.features) == self.labels
        flips = 0.0
        if self.planted is not None:
            before = layer.predict(self.features[self.others]) != self.target
            after = layer.predict(self.planted) == self.target
            flips = float((before & after).sum() / max(before.sum(), 1))
        return cost_of(right, self.labels == self.target, flips)

    def attainable(self, clean: Examples) -> Cost:
        """Measure a dense layer on this network's features, fitted where nothing was planted.

        No layer does much better: what is still missing, the network does not see.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        seen = {}
        for split in ("train", "validation"):
            rows = np.flatnonzero(clean.split == split)
            items = [clean.items[i] for i in rows]
            seen[split] = (look(self.backbone, items), clean.labels[rows])
        best = max(
            (
                make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300)).fit(
                    *seen["train"]
                )
                for c in STRENGTHS
            ),
            key=lambda layer: layer.score(*seen["validation"]),
        )
        right = best.predict(self.features) == self.labels
        return cost_of(right, self.labels == self.target)

    def alike(self, layer: DecisionLayer, pattern: Pattern) -> Alike:
        """Compare a pattern with the planted one, on the same examples of other classes."""
        if self.planted is None:
            return Alike(0.0, 0.0)
        before = [pattern.has(_shown(item)) for item in self.items]
        after = [pattern.has(_shown(item)) for item in self.changed]
        shown = float(np.mean(after) - np.mean(before))
        made = [pattern.insert(_shown(item), 1000 + i) for i, item in enumerate(self.items)]
        at = [i for i, one in enumerate(made) if one is not None]
        if len(at) < FEWEST:
            return Alike(0.0, shown)
        moved = _look(self.backbone, [made[i] for i in at])
        plain = self.features[self.others[at]]
        scale = np.where(layer.dead, np.inf, layer.scale)
        planted = (self.planted[at] - plain).mean(axis=0) / scale
        return Alike(cosine((moved - plain).mean(axis=0) / scale, planted), shown)


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
