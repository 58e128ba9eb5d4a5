"""Would the layer have chosen the same features from other examples of the same kind?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.layer.again import LayerProblem
from clearhead.layer.evaluate import right_rows
from clearhead.layer.shown import words_and_table

__all__ = ["Newcomer", "Stability", "bootstrap_counts", "measure_stability", "strata"]

STABLE, UNSTABLE = 0.9, 0.5
MOST = 20


@dataclass(frozen=True)
class Newcomer:
    """A feature that a class does not use, and uses in at least half of the resamples."""

    class_index: int
    feature: int
    frequency: float


@dataclass(frozen=True, eq=False)
class Stability:
    """How often bootstrap resamples of the training rows choose the same features.

    Parameters
    ----------
    class_names : tuple of str
    n_resamples : int
    seed : int
    features : ndarray of shape (u,), int
        Features that the layer uses, ascending.
    chosen : ndarray of shape (K, u), bool
        Where the layer itself uses the feature for the class.
    frequency : ndarray of shape (K, u), float64
        Share of the resamples in which the class uses the feature.
    newcomers : tuple of Newcomer
        Not chosen, but often there; most often first, at most 20.
    jaccard : ndarray of shape (K,), float64
        Mean over pairs of resamples of |A ∩ B| / |A ∪ B|, of the features of each class: what
        is to be expected of two layers from two samples of the data. 1 where both are empty.
    jaccard_layer : float
        The same for the features of the layer, whichever class uses them.
    accuracies : tuple of float
        Validation accuracy of each resample's layer.
    """

    class_names: tuple[str, ...]
    n_resamples: int
    seed: int
    features: IntArray
    chosen: BoolArray
    frequency: FloatArray
    newcomers: tuple[Newcomer, ...]
    jaccard: FloatArray
    jaccard_layer: float
    accuracies: tuple[float, ...]

    def of(self, feature: int) -> FloatArray:
        """Frequency (K,) with which each class uses a feature that the layer uses."""
        found = np.flatnonzero(self.features == feature)
        if not len(found):
            raise InputError(f"feature: the layer does not use {feature}, so see newcomers.")
        return np.asarray(self.frequency[:, found[0]])

    def to_frame(self) -> pd.DataFrame:
        """One row for each class and feature that it uses, least stable first."""
        rows = [
            (self.class_names[c], int(self.features[i]), float(self.frequency[c, i]))
            for c, i in np.argwhere(self.chosen)
        ]
        frame = pd.DataFrame(rows, columns=["class", "feature", "frequency"])
        return frame.sort_values("frequency", kind="stable").reset_index(drop=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw how often the layer's choices are made again; return the Axes."""
        ax = new_axes() if ax is None else ax
        ax.hist(self.frequency[self.chosen], bins=20, range=(0, 1))
        ax.set_xlabel(f"share of {self.n_resamples} resamples that choose it again")
        ax.set_ylabel("features of a class")
        return ax

    def describe(self, k: int = 3) -> list[str]:
        """Say in words how stable the choice is, and which parts of it are least so."""
        values = self.frequency[self.chosen]
        if not len(values):
            return ["The layer uses no features whose stability could be measured."]
        # Two mirrored classes make each choice together: say it once.
        each = 2 if self._mirrored else 1
        always = int((values >= STABLE).sum()) // each
        seldom = int((values < UNSTABLE).sum()) // each
        low, high = min(self.accuracies), max(self.accuracies)
        lines = [
            f"Of {len(values) // each} choices of a feature{'' if each == 2 else ' for a class'}, "
            f"{always} are made again in at least 90% of {self.n_resamples} bootstrap resamples, "
            f"{seldom} in fewer than half. Two resamples have {self.jaccard_layer:.0%} of their "
            f"features in common; their accuracy is {low:.1%} to {high:.1%}."
        ]
        names, frame = self.class_names, self.to_frame()
        if each == 2:
            frame = frame.drop_duplicates("feature")
        rare = frame[frame["frequency"] < UNSTABLE].head(k)
        choices = zip(rare["class"], rare["feature"], rare["frequency"], strict=True)
        if said := [self._choice(*choice) for choice in choices]:
            lines.append(f"Least stable: {', '.join(said)}.")
        often = self.newcomers[::each][:k]
        if said := [self._choice(names[n.class_index], n.feature, n.frequency) for n in often]:
            lines.append(f"Not in the layer, but often chosen: {', '.join(said)}.")
        return lines

    def _choice(self, name: str, feature: int, frequency: float) -> str:
        of = "" if self._mirrored else f" for {name}"
        return f"{feature}{of} ({frequency:.0%})"

    @property
    def _mirrored(self) -> bool:
        """Whether two classes make every choice together."""
        if len(self.class_names) != 2:
            return False
        same = (self.chosen[0] == self.chosen[1]) & (self.frequency[0] == self.frequency[1])
        return bool(same.all())

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_names": list(self.class_names),
            "n_resamples": self.n_resamples,
            "seed": self.seed,
            "features": self.features.tolist(),
            "chosen": self.chosen.tolist(),
            "frequency": self.frequency.tolist(),
            "newcomers": [asdict(item) for item in self.newcomers],
            "jaccard": self.jaccard.tolist(),
            "jaccard_layer": self.jaccard_layer,
            "accuracies": list(self.accuracies),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        names = tuple(value["class_names"])
        features = np.array(value["features"], dtype=np.int64)
        shape = (len(names), len(features))
        return cls(
            class_names=names,
            n_resamples=int(value["n_resamples"]),
            seed=int(value["seed"]),
            features=features,
            chosen=np.array(value["chosen"], dtype=bool).reshape(shape),
            frequency=np.array(value["frequency"], dtype=np.float64).reshape(shape),
            newcomers=tuple(Newcomer(**item) for item in value["newcomers"]),
            jaccard=np.array(value["jaccard"], dtype=np.float64),
            jaccard_layer=float(value["jaccard_layer"]),
            accuracies=tuple(value["accuracies"]),
        )


def measure_stability(
    problem: LayerProblem,
    groups: IntArray,
    validation: tuple[FloatArray, IntArray],
    *,
    n_resamples: int = 20,
    seed: int = 0,
    on_event: EventCallback | None = None,
) -> Stability:
    """Solve the layer's problem again on bootstrap resamples of its rows.

    A resample draws from each stratum as many rows as it has, with replacement; drawn rows
    are weights, features are standardised by them, and lam stays what it is: the loss is a
    mean over rows, so that the same lam is the same trade of loss against penalty.

    Parameters
    ----------
    problem : LayerProblem
    groups : ndarray of shape (n,), int
        Stratum of each training row: see :func:`strata`.
    validation : (features, labels)
        Rows on which the layers' accuracies are measured.
    n_resamples : int
        At least 2.
    seed : int
    on_event : callable, optional
        Receives the events of step ``"analyze"``.

    References
    ----------
    Efron, Tibshirani (1993), An Introduction to the Bootstrap, chapter 6.
    Bach (2008), Bolasso: model consistent lasso estimation through the bootstrap. ICML.
    """
    if n_resamples < 2:
        raise InputError(f"n_resamples: at least 2 are needed to compare, got {n_resamples!r}.")
    layer, (X, y) = problem.layer, validation
    rng = np.random.default_rng(seed)
    used = np.zeros((n_resamples, *layer.weight.shape), dtype=bool)
    accuracies = []
    emit(on_event, Event("analyze", "start", "bootstrap resamples", 0, n_resamples, "resamples"))
    for i in range(n_resamples):
        found = problem.resampled(bootstrap_counts(groups, rng))
        used[i] = found.weight != 0
        accuracies.append(float(right_rows(y, found.predict(X)).mean()))
        message = f"resample {i + 1}: {found.features_per_class:.1f} features a class"
        emit(on_event, Event("analyze", "progress", message, i + 1, n_resamples, "resamples"))
    frequency, chosen = used.mean(axis=0), layer.weight != 0
    return Stability(
        class_names=layer.class_names,
        n_resamples=n_resamples,
        seed=seed,
        features=layer.used,
        chosen=chosen[:, layer.used],
        frequency=frequency[:, layer.used],
        newcomers=_newcomers(frequency, chosen),
        jaccard=np.array([_mean_jaccard(used[:, c]) for c in range(layer.n_classes)]),
        jaccard_layer=_mean_jaccard(np.logical_or.reduce(used, axis=1)),
        accuracies=tuple(accuracies),
    )


def bootstrap_counts(groups: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw from each stratum as many rows as it has; how often each row was drawn, (n,)."""
    counts = np.zeros(len(groups), dtype=np.int64)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        counts[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
    return counts


def strata(y: IntArray | FloatArray, *, multilabel: bool) -> IntArray:
    """Strata (n,) of training targets: classes, likeliest classes, or sets of labels.

    So that no class and no label vanishes from a resample.
    """
    if multilabel:
        _, groups = np.unique(np.asarray(y) > 0.5, axis=0, return_inverse=True)
        return np.asarray(groups).reshape(-1)
    return np.asarray(y) if np.ndim(y) == 1 else np.argmax(y, axis=1)


def _newcomers(frequency: FloatArray, chosen: BoolArray) -> tuple[Newcomer, ...]:
    places = np.argwhere((frequency >= UNSTABLE) & ~chosen)
    found = [Newcomer(int(c), int(j), float(frequency[c, j])) for c, j in places]
    found.sort(key=lambda item: (-item.frequency, item.feature, item.class_index))
    return tuple(found[:MOST])


def _mean_jaccard(sets: BoolArray) -> float:
    """Mean over pairs of sets (B, p) of what they share; two empty sets are the same."""
    members = sets.astype(np.float64)
    both = members @ members.T
    size = np.diag(both)
    either = size[:, None] + size[None, :] - both
    share = np.divide(both, either, out=np.ones_like(both), where=either > 0)
    return float(share[np.triu_indices(len(sets), 1)].mean())
