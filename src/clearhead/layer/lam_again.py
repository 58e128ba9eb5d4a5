"""Choose lam again where the problem has changed: a short path, and a point that is proven.

A shortcut is easy to see, so a layer that relies on it is found at a large lam. Without the
shortcut the same lam leaves next to no feature in, and the class is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.glm import Accuracy, Path
from clearhead.glm.path import SparseCoefficients
from clearhead.glm.resolve import Resolved, Resolver
from clearhead.layer.again import solved_layer
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import Edit
from clearhead.layer.select import Rule
from clearhead.layer.training import TrainingRows

__all__ = ["ROUGH", "Again", "Chosen", "Lam", "choose_again", "wanted_lam", "weighted_accuracy"]

POINTS = 14
ROUGH = 1e-2
"""Relative duality gap of the points that are compared; the one chosen is proven as usual."""
END = 5e-3
"""The path goes down to so much of the largest lam, or as far as the run's own."""
PATIENCE = 4
"""The path ends where so many points on end have no better accuracy than those before."""


@dataclass(frozen=True)
class Lam(Edit):
    """Keep lam, or choose it again, when the layer is solved again.

    Without it lam is chosen again where a pattern is unlinked, and where the layer that is solved
    at the same lam has lost half of its features, or all those of a class.

    Parameters
    ----------
    how : {"same", "again"}
    """

    action: ClassVar[str] = "lam"
    how: str

    def describe(self) -> str:
        """Say in words what is changed."""
        return "λ chosen again" if self.how == "again" else "λ kept"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        if self.how not in ("same", "again"):
            raise InputError(f"lam: expected 'same' or 'again', got {self.how!r}.")


@dataclass(frozen=True, eq=False)
class Again:
    """What it takes to choose lam again.

    Parameters
    ----------
    rule : Rule
        How the layer was selected.
    validation : TrainingRows
        Of the validation split, as they are; edits change them as they do the training rows.
    smallest : float
        The end of the path.
    """

    rule: Rule
    validation: TrainingRows
    smallest: float


@dataclass(frozen=True, eq=False)
class Chosen:
    """A point of the short path, and the best one.

    Parameters
    ----------
    layer : DecisionLayer
    best : DecisionLayer
        Of the best accuracy on validation: what the network's features allow.
    """

    layer: DecisionLayer
    best: DecisionLayer


def wanted_lam(edits: Sequence[Edit]) -> str | None:
    """What the last edit that says something of lam wants."""
    return next((edit.how for edit in reversed(edits) if isinstance(edit, Lam)), None)


def choose_again(
    layer: DecisionLayer,
    resolver: Resolver,
    again: Again,
    validation: TrainingRows,
    allowed: BoolArray | None,
    *,
    on_event: EventCallback | None = None,
) -> Chosen:
    """Solve at 14 values of lam, and choose by the rule that chose the layer.

    Parameters
    ----------
    layer : DecisionLayer
        As it was selected.
    resolver : Resolver
        Of the changed problem.
    again : Again
    validation : TrainingRows
        With the same change.
    allowed : ndarray of shape (K, p), bool, optional
    on_event : callable, optional
    """
    coef, intercept = resolver.null()
    most = resolver.lambda_max
    grid = np.geomspace(most, min(again.smallest, END * most), POINTS)[1:]
    layers, accuracies, solved = list[DecisionLayer](), list[float](), list[Resolved]()
    for done, lam in enumerate(grid):
        emit(on_event, Event("solve", "progress", "λ anew", done, len(grid), "points"))
        point = resolver.solve(coef, intercept, allowed=allowed, lam=float(lam), tol=ROUGH)
        coef, intercept = point.coef, point.intercept
        solved.append(point)
        layers.append(solved_layer(layer, point, float(lam)))
        accuracies.append(weighted_accuracy(layers[-1], validation))
        if len(accuracies) - 1 - int(np.argmax(accuracies)) >= PATIENCE:
            break
    path = _path(layer, grid, solved, accuracies, validation.n)
    try:
        index = again.rule.index(path)
    except InputError:  # no point of it meets the rule: so many features, say
        index = int(np.argmin(np.abs(np.log(path.lambdas / layer.certificate.lam))))
    index = _with_features(layer, layers, accuracies, index)
    point, lam = solved[index], float(grid[index])
    point = resolver.solve(point.coef, point.intercept, allowed=allowed, lam=lam)
    best = int(np.argmax(accuracies))
    return Chosen(solved_layer(layer, point, lam), layers[best])


def _with_features(
    before: DecisionLayer,
    layers: Sequence[DecisionLayer],
    accuracies: Sequence[float],
    index: int,
) -> int:
    """The first point from `index` on, no less accurate, where no class has lost all features."""
    for later in range(index, len(layers)):
        kept = layers[later].n_nonzero[before.n_nonzero > 0].all()
        if kept and accuracies[later] >= accuracies[index]:
            return later
    return index


def weighted_accuracy(layer: DecisionLayer, rows: TrainingRows) -> float:
    """Share of right answers where rows count as much as their weights say."""
    right = layer.predict(rows.features) == rows.labels
    return float(rows.weight @ right / rows.weight.sum())


def _path(
    layer: DecisionLayer,
    grid: FloatArray,
    solved: Sequence[Resolved],
    accuracies: Sequence[float],
    n: int,
) -> Path:
    """Put points together for a rule to choose from."""
    proven, how = layer.certificate, solved[0].how
    width = layer.weight.shape[1]
    return Path(
        lambdas=grid[: len(solved)],
        coefficients=tuple(SparseCoefficients.of(one.coef) for one in solved),
        intercepts=np.array([one.intercept for one in solved]),
        gaps=np.array([one.gap for one in solved]),
        kkt=np.array([one.kkt for one in solved]),
        status=[one.status for one in solved],
        losses={},
        accuracies={"validation": tuple(Accuracy.of(round(a * n), n) for a in accuracies)},
        center=how.center,
        scale=how.scale,
        dead=how.dead,
        banned=np.zeros(width, dtype=bool),
        penalty_factor=np.ones(width),
        classes=layer.class_names,
        class_names=layer.class_names,
        family=proven.family,
        l1_ratio=proven.l1_ratio,
        tol=0.0,
        lambda_max=float(grid[0]),
        null_loss=0.0,
        n_samples={"validation": n},
        fingerprint="",
    )
