"""A path by glm_saga beside the optimal one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead._plot import new_axes
from clearhead._types import FloatArray
from clearhead.errors import InputError
from clearhead.glm.path import Path
from clearhead.glm.shown import notebook_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SagaPath"]


@dataclass(frozen=True, eq=False)
class SagaPath:
    """A path by glm_saga, what is proven of it, and the optimum at the same strengths.

    Parameters
    ----------
    path : Path
        glm_saga's coefficients. Each gap is proven: no more than this is the point above
        the optimum.
    optimum : Path or None
        The optimal path at the same lambdas, on the same features.
    numbers : tuple of int
        Number i of each point's file ``params{i}.pth``.
    objectives, optima : (L,) float64
        Objective of glm_saga's point, and of the optimal one (NaN without `optimum`).
    """

    path: Path
    optimum: Path | None
    numbers: tuple[int, ...]
    objectives: FloatArray = field(repr=False)
    optima: FloatArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.path)

    @property
    def excess(self) -> FloatArray:
        """Share (L,) by which each point's objective is above the optimal one."""
        return np.asarray(self.objectives / self.optima - 1.0)

    @property
    def features_too_many(self) -> FloatArray:
        """Features a class (L,) that a point keeps beyond those of the optimum; may be negative."""
        if self.optimum is None:
            return np.full(len(self), np.nan)
        return self.path.features_per_class - self.optimum.features_per_class

    def describe(self, i: int) -> str:
        """Say of point `i`, in its file's numbering, how far it is from the optimum."""
        if i not in self.numbers:
            raise InputError(f"There is no params{i}.pth among the points that were read.")
        place = self.numbers.index(i)
        used = f"{self.path.features_per_class[place]:.1f} features a class"
        gap = self.path.gaps[place]
        if self.optimum is None:
            return f"point {i} is at most {gap:.2%} above the optimum, with {used}"
        status = self.optimum.status[place]
        if status not in ("optimal", "unregularised"):
            return f"point {i} has no proven optimum to compare with ({status}); {used}"
        more = self.features_too_many[place]
        keeps = f"keeps {abs(more):.1f} features a class too {'many' if more >= 0 else 'few'}"
        if abs(more) < 0.05:
            keeps = "keeps as many features"
        best = self.optimum.features_per_class[place]
        return (
            f"point {i} is {max(self.excess[place], 0.0):.2%} above the optimum and {keeps} "
            f"({used}, the optimum {best:.1f})"
        )

    def lines(self) -> Iterator[str]:
        """:meth:`describe` of every point."""
        return (self.describe(i) for i in self.numbers)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point: strength, proof, objective, sparsity, and those of the optimum."""
        import pandas as pd

        columns: dict[str, Any] = {
            "point": self.numbers,
            "lam": self.path.lambdas,
            "gap": self.path.gaps,
            "kkt": self.path.kkt,
            "objective": self.objectives,
            "features_per_class": self.path.features_per_class,
        }
        if self.optimum is not None:
            columns |= {
                "optimal_objective": self.optima,
                "excess": self.excess,
                "optimal_features_per_class": self.optimum.features_per_class,
                "features_too_many": self.features_too_many,
            }
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw features per class against lam, glm_saga's and the optimum's."""
        axes: Any = new_axes() if ax is None else ax
        for path, label in ((self.path, "glm_saga"), (self.optimum, "optimum")):
            if path is not None:
                axes.plot(path.lambdas, path.features_per_class, marker=".", ms=4, label=label)
        axes.set_xscale("symlog", linthresh=float(self.path.lambdas[self.path.lambdas > 0].min()))
        axes.invert_xaxis()
        axes.set_xlabel("λ")
        axes.set_ylabel("features per class")
        axes.legend(frameon=False)
        drawn: Axes = axes
        return drawn

    def __repr__(self) -> str:
        worst = float(np.nanmax(self.path.gaps, initial=0.0))
        return (
            f"SagaPath({self.path.family}, {len(self.path.class_names)} classes, "
            f"{self.path.n_features} features, {len(self)} points, largest gap {worst:.1e})"
        )

    def _repr_html_(self) -> str:
        return notebook_table(self, self.to_frame(), max_rows=None)
