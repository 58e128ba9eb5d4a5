"""The regularization path: every point's coefficients, with what is proven of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.shown import notebook_table, sparsity_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Path", "PathPoint", "SelectionRule", "SparseCoefficients"]

_KINDS = {
    "binomial": "classes",
    "multinomial": "classes",
    "multilabel": "labels",
    "gaussian": "outputs",
}

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class SelectionRule(Protocol[T_co]):
    """A rule that picks one point of a path."""

    def apply(self, path: Path) -> T_co:
        """Pick."""


@dataclass(frozen=True)
class SparseCoefficients:
    """Coefficients (O, p) of which most are zero.

    Parameters
    ----------
    indices : (nnz,) int64
        Ascending positions in the flattened array.
    values : (nnz,) float64
    shape : (int, int)
    """

    indices: IntArray
    values: FloatArray
    shape: tuple[int, int]

    @classmethod
    def of(cls, W: FloatArray) -> SparseCoefficients:
        """Keep what is not zero."""
        flat = W.ravel()
        indices = np.flatnonzero(flat)
        return cls(indices, flat[indices], (W.shape[0], W.shape[1]))

    def dense(self) -> FloatArray:
        """Return the whole array (O, p), float64."""
        W = np.zeros(self.shape)
        W.ravel()[self.indices] = self.values
        return W

    def count(self) -> IntArray:
        """Non-zeros (O,) of each row."""
        return np.bincount(self.indices // self.shape[1], minlength=self.shape[0])


@dataclass(frozen=True)
class PathPoint:
    """One point of a path.

    Parameters
    ----------
    index : int
        Its place on the path.
    lam : float
        Strength of the penalty.
    coef : (1, p) or (K, p) float64
        Coefficients on the standardised scale.
    intercept : (1,) or (K,) float64
    gap, kkt : float
        Relative duality gap, and KKT violation relative to `lam`.
    status : str
        ``"optimal"``, or why not.
    n_nonzero : (1,) or (K,) int
    losses : mapping
        Mean loss of each split.
    accuracies : mapping
        Accuracy of each split.
    """

    index: int
    lam: float
    coef: FloatArray = field(repr=False)
    intercept: FloatArray = field(repr=False)
    gap: float
    kkt: float
    status: str
    n_nonzero: IntArray
    losses: Mapping[str, float]
    accuracies: Mapping[str, Accuracy]

    @property
    def features_per_class(self) -> float:
        """Mean number of features that a class uses."""
        return float(self.n_nonzero.mean())


@dataclass(frozen=True, eq=False)
class Path:
    """Optimal sparse layers at every value of lam, each with its certificate.

    Each point minimises ``mean_i s_i loss + lam * (l1_ratio * ||W||_1 + (1 - l1_ratio)/2 *
    ||W||_2^2)`` over standardised features, the intercept unpenalised. With l1_ratio = 1
    and an even number of classes multinomial coefficients need not be unique; then one of
    the minimisers is given.

    Parameters
    ----------
    lambdas : (L,) float64
        Decreasing.
    coefficients : tuple of L SparseCoefficients
    intercepts : (L, 1) or (L, K) float64
    gaps, kkt : (L,) float64
        Relative duality gap and relative KKT violation, in float64 from what is stored.
    status : list of L str
        ``"optimal"`` where the gap is at most `tol`, or why not. A last point lam = 0 has
        no gap; it is ``"unregularised"`` (with the norm of the gradient as kkt) or
        ``"separable: stopped at ridge ..."``, where there is no optimum.
    losses : dict of split to (L,) float64
        Mean loss without penalty; weighted for ``train``.
    accuracies : dict of split to tuple of L Accuracy
        For labels a row is right if all of its labels are. Empty for the gaussian family.
    center, scale : (p,) float64
        How features were standardised.
    dead, banned : (p,) bool
        Features out of the problem: constant ones, and those of infinite penalty factor.
    penalty_factor : (p,) float64
    classes : tuple
        Labels as given, sorted; or what the columns of y are called.
    class_names : tuple of str
    family : str
        ``"binomial"`` (one row of coefficients, for the second class), ``"multinomial"``,
        ``"multilabel"`` or ``"gaussian"`` (one a class, label or output).
    l1_ratio, tol, lambda_max, null_loss : float
    n_samples : dict of split to int
    fingerprint : str
        Of the problem that was solved: features, labels, weights and settings.
    grouped : bool
        Whether ``sum_j ||W_.j||_2`` took the place of the l1 norm.
    r2 : dict of split to (L,) float64
        Of the gaussian family: share of the split's variance, around its own mean and
        summed over outputs, that each point explains. Empty for the others.
    """

    lambdas: FloatArray
    coefficients: tuple[SparseCoefficients, ...] = field(repr=False)
    intercepts: FloatArray = field(repr=False)
    gaps: FloatArray = field(repr=False)
    kkt: FloatArray = field(repr=False)
    status: list[str] = field(repr=False)
    losses: dict[str, FloatArray] = field(repr=False)
    accuracies: dict[str, tuple[Accuracy, ...]] = field(repr=False)
    center: FloatArray = field(repr=False)
    scale: FloatArray = field(repr=False)
    dead: BoolArray = field(repr=False)
    banned: BoolArray = field(repr=False)
    penalty_factor: FloatArray = field(repr=False)
    classes: tuple[Any, ...]
    class_names: tuple[str, ...]
    family: str
    l1_ratio: float
    tol: float
    lambda_max: float
    null_loss: float
    n_samples: dict[str, int]
    fingerprint: str
    grouped: bool = False
    r2: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.lambdas)

    def __iter__(self) -> Iterator[PathPoint]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> PathPoint:
        i = self._place(i)
        return PathPoint(
            index=i,
            lam=float(self.lambdas[i]),
            coef=self.coef(i),
            intercept=self.intercept(i),
            gap=float(self.gaps[i]),
            kkt=float(self.kkt[i]),
            status=self.status[i],
            n_nonzero=self.coefficients[i].count(),
            losses={split: float(values[i]) for split, values in self.losses.items()},
            accuracies={split: values[i] for split, values in self.accuracies.items()},
        )

    def _place(self, i: int) -> int:
        if not -len(self) <= i < len(self):
            # IndexError is what ends a for loop and what indexing promises.
            raise IndexError(f"The path has points 0 to {len(self) - 1}; got {i}.")
        return int(i) % len(self)

    @property
    def n_features(self) -> int:
        """Number of features p."""
        return len(self.center)

    @property
    def n_nonzero(self) -> IntArray:
        """Non-zero coefficients (L, 1) or (L, K)."""
        return np.array([c.count() for c in self.coefficients])

    @property
    def features_per_class(self) -> FloatArray:
        """Mean number (L,) of features that a class uses."""
        return np.asarray(self.n_nonzero.mean(axis=1))

    @property
    def optimal(self) -> BoolArray:
        """Where (L,) the gap meets `tol`; of a refit, on the point's own support."""
        return np.array([s.startswith("optimal") for s in self.status])

    def coef(self, i: int, original_scale: bool = False) -> FloatArray:
        """Coefficients (1, p) or (K, p) of point `i`, float64.

        On the standardised scale, or with `original_scale` for features as they come.
        """
        W = self.coefficients[self._place(i)].dense()
        return W / self.scale if original_scale else W

    def intercept(self, i: int, original_scale: bool = False) -> FloatArray:
        """Intercept (1,) or (K,) of point `i`, float64; see :meth:`coef`."""
        b = self.intercepts[self._place(i)].copy()
        if original_scale:
            b -= self.coef(i) @ (self.center / self.scale)
        return np.asarray(b)

    def select(self, rule: SelectionRule[T]) -> T:
        """Pick one point by a rule."""
        return rule.apply(self)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point: lam, certificate, sparsity, and each split's measures."""
        import pandas as pd

        columns: dict[str, Any] = {
            "lam": self.lambdas,
            "status": self.status,
            "gap": self.gaps,
            "kkt": self.kkt,
            "n_nonzero": self.n_nonzero.sum(axis=1),
            "features_per_class": self.features_per_class,
        }
        for split, losses in self.losses.items():
            columns[f"loss_{split}"] = losses
            if split in self.r2:
                columns[f"r2_{split}"] = self.r2[split]
            values = self.accuracies.get(split, ())
            if not values:
                continue
            columns[f"accuracy_{split}"] = [a.value for a in values]
            columns[f"accuracy_{split}_low"] = [a.low for a in values]
            columns[f"accuracy_{split}_high"] = [a.high for a in values]
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw accuracy against features per class, a line and a band for each split.

        Of numbers, the gaussian family, R² is drawn.
        """
        used = self.features_per_class
        if self.accuracies:
            axes = sparsity_axes(ax, "accuracy")
            for split, values in self.accuracies.items():
                (line,) = axes.plot(used, [a.value for a in values], label=split, marker=".", ms=4)
                low, high = [a.low for a in values], [a.high for a in values]
                axes.fill_between(used, low, high, color=line.get_color(), alpha=0.15, lw=0)
        else:
            # A path that an older version wrote has no R².
            numbers = self.r2 or self.losses
            axes = sparsity_axes(ax, "R²" if self.r2 else "half mean squared error", per="output")
            for split, measured in numbers.items():
                axes.plot(used, measured, label=split, marker=".", ms=4)
        axes.legend(frameon=False)
        drawn: Axes = axes
        return drawn

    def __repr__(self) -> str:
        return (
            f"Path({self.family}, {len(self.class_names)} {_KINDS[self.family]}, "
            f"{self.n_features} features, {len(self)} points, {int(self.optimal.sum())} optimal, "
            f"l1_ratio={self.l1_ratio})"
        )

    def _repr_html_(self) -> str:
        return notebook_table(self, self.to_frame())

    def save(self, folder: str | FilePath) -> None:
        """Write the path into a folder, without pickle; see :mod:`clearhead.glm.storage`."""
        from clearhead.glm.storage import save_path

        save_path(self, FilePath(folder))

    @classmethod
    def load(cls, folder: str | FilePath) -> Path:
        """Read a path back; damaged files and newer schemas are refused."""
        from clearhead.glm.storage import load_path

        return load_path(FilePath(folder))

    def __post_init__(self) -> None:
        if not len(self.lambdas) == len(self.coefficients) == len(self.status):
            raise InputError("A path needs coefficients and a status for every lam.")
