r"""The smallest change of the features that changes the prediction.

For a linear layer it is known in closed form. From class r to class a it takes
:math:`m = z_r - z_a` of score along :math:`v = w_a - w_r`; by the dual norm the least change is

* in L2: :math:`\delta = m\, v / \|v\|_2^2`, of length :math:`m / \|v\|_2`;
* in L∞: :math:`\delta_j = m\, \mathrm{sign}(v_j) / \|v\|_1`;
* fewest features, each at most `reach` standard deviations: those with the largest |v_j|.

The nearest such hyperplane is where the class is left, exactly: before it none is crossed. For a
chosen class the others have to stay behind as well; the L2 change is then the projection on a
polyhedron, solved exactly as a problem of least distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from clearhead._types import FloatArray
from clearhead.debug.view import SplitView
from clearhead.errors import InputError

__all__ = ["Counterfactual", "Norm", "counterfactual"]

Norm = Literal["l2", "linf", "fewest"]
REACH = 3.0
"""Standard deviations that a feature moves at most where the fewest are wanted."""
_PAST = 1e-6
"""How far past the border, relative to the score that it takes: on it two classes are equal."""


@dataclass(frozen=True)
class Counterfactual:
    """What would have to be otherwise for another prediction.

    Parameters
    ----------
    id : str
    source, target : int
        Predicted before and after.
    norm : str
    size : float
        Length of the change in that norm, in standard deviations; for ``"fewest"`` the number
        of features.
    features : tuple of int
        Those that move, the farthest first.
    before, after : tuple of float
        Their standardised activations.
    percentiles_before, percentiles_after : tuple of float
        Where these lie in the training split, 0 to 100; empty if not asked for.
    """

    id: str
    source: int
    target: int
    norm: Norm
    size: float
    features: tuple[int, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    percentiles_before: tuple[float, ...] = ()
    percentiles_after: tuple[float, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row for each feature that moves, the farthest first."""
        frame = pd.DataFrame({"feature": self.features, "before": self.before, "after": self.after})
        frame["moved"] = frame["after"] - frame["before"]
        if self.percentiles_before:
            frame["percentile_before"] = self.percentiles_before
            frame["percentile_after"] = self.percentiles_after
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        return (
            f"Counterfactual({self.id}: class {self.source} to {self.target}, {self.norm} "
            f"{self.size:.3g}, {len(self.features)} features)"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>" + str(self.to_frame().head(20).to_html(index=False))


def counterfactual(
    view: SplitView,
    row: int,
    target: int | None = None,
    *,
    norm: Norm = "l2",
    reach: float = REACH,
    percentile: Callable[[int, float], float] | None = None,
) -> Counterfactual | None:
    """Find the smallest change of the features in use that gives another prediction.

    Parameters
    ----------
    view : SplitView
    row : int
    target : int, optional
        Class to reach; any other one if not given.
    norm : {"l2", "linf", "fewest"}
        What is smallest. With a `target`, ``"linf"`` and ``"fewest"`` make it overtake the
        class predicted now, which with three or more classes need not be enough; None is
        given where it is not.
    reach : float
        For ``"fewest"``: standard deviations that each feature may move.
    percentile : callable, optional
        ``index.percentile`` of an :class:`~clearhead.explain.ExampleIndex`: takes a feature and
        its standardised activation.

    Returns
    -------
    Counterfactual or None
        None where no change of the features in use gives that prediction.
    """
    _check(view, row, target, norm, reach)
    source, wanted = int(view.predicted[row]), target
    if target is None:
        options = [c for c in range(view.layer.n_classes) if c != source]
        found = [(_to(view, row, c, norm, reach), c) for c in options]
        possible = [(_size(delta, norm), c, delta) for delta, c in found if delta is not None]
        if not possible:
            return None
        _, target, delta = min(possible, key=lambda one: one[:2])
    elif norm == "l2":
        projected = _project(view, row, target)
        if projected is None:
            return None
        delta = projected
    else:
        straight = _to(view, row, target, norm, reach)
        if straight is None:
            return None
        delta = straight
    after = view.z[row] + delta
    reached = int(np.argmax(view.weight @ after + view.layer.bias))
    if reached != target and (wanted is not None or reached == source):
        return None
    return _describe(view, row, (source, reached), delta, norm, percentile=percentile)


def _check(view: SplitView, row: int, target: int | None, norm: str, reach: float) -> None:
    if not 0 <= row < view.n:
        raise InputError(f"row: expected 0 to {view.n - 1}, got {row}.")
    if norm not in ("l2", "linf", "fewest"):
        raise InputError(f"norm: expected 'l2', 'linf' or 'fewest', got {norm!r}.")
    if not reach > 0:
        raise InputError(f"reach: expected standard deviations above 0, got {reach!r}.")
    if target is None:
        return
    if not 0 <= target < view.layer.n_classes:
        raise InputError(
            f"target: expected a class from 0 to {view.layer.n_classes - 1}, got {target}."
        )
    if target == view.predicted[row]:
        raise InputError(
            f"target: row {row} is already predicted to be {view.layer.class_names[target]}. "
            "Choose another class, or none for the nearest."
        )


def _to(view: SplitView, row: int, target: int, norm: Norm, reach: float) -> FloatArray | None:
    """Smallest change that makes `target` overtake the class predicted now."""
    source = int(view.predicted[row])
    v = view.weight[target] - view.weight[source]
    m = float(view.logits[row, source] - view.logits[row, target])
    m += _PAST * (m + 1.0)
    if not np.any(v):
        return None
    if norm == "l2":
        return np.asarray(m * v / (v @ v))
    if norm == "linf":
        return np.asarray(m * np.sign(v) / np.abs(v).sum())
    order = np.argsort(-np.abs(v), kind="stable")
    gained = np.cumsum(np.abs(v[order])) * reach
    if gained[-1] < m:
        return None
    k = int(np.searchsorted(gained, m)) + 1
    delta = np.zeros_like(v)
    # Of the fewest features, all move equally far.
    delta[order[:k]] = np.sign(v[order[:k]]) * m / np.abs(v[order[:k]]).sum()
    return np.asarray(delta)


def _project(view: SplitView, row: int, target: int) -> FloatArray | None:
    """Least change in L2 after which no class is ahead of `target`; None if there is none.

    References
    ----------
    Lawson, Hanson (1974), Solving least squares problems, chapter 23: least distance
    programming by non-negative least squares.
    """
    from scipy.optimize import nnls

    others = np.arange(view.layer.n_classes) != target
    G = (view.weight[target] - view.weight)[others]
    behind = (view.logits[row] - view.logits[row, target])[others]
    h = behind + _PAST * (np.abs(behind) + 1.0)
    E = np.vstack([G.T, h])
    f = np.zeros(len(E))
    f[-1] = 1.0
    u, norm = nnls(E, f)
    if norm < 1e-9:
        return None
    residual = E @ u - f
    return np.asarray(-residual[:-1] / residual[-1])


def _size(delta: FloatArray, norm: Norm) -> float:
    if norm == "fewest":
        return float(np.count_nonzero(delta))
    return float(np.linalg.norm(delta, np.inf if norm == "linf" else 2))


def _describe(
    view: SplitView,
    row: int,
    classes: tuple[int, int],
    delta: FloatArray,
    norm: Norm,
    *,
    percentile: Callable[[int, float], float] | None,
) -> Counterfactual:
    moved = np.flatnonzero(delta)
    moved = moved[np.argsort(-np.abs(delta[moved]), kind="stable")]
    features = view.layer.used[moved]
    before, after = view.z[row, moved], view.z[row, moved] + delta[moved]

    def places(z: FloatArray) -> tuple[float, ...]:
        if percentile is None:
            return ()
        return tuple(float(percentile(int(j), float(x))) for j, x in zip(features, z, strict=True))

    return Counterfactual(
        id=str(view.ids[row]),
        source=classes[0],
        target=classes[1],
        norm=norm,
        size=_size(delta, norm),
        features=tuple(int(j) for j in features),
        before=tuple(float(x) for x in before),
        after=tuple(float(x) for x in after),
        percentiles_before=places(before),
        percentiles_after=places(after),
    )
