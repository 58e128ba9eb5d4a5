"""A problem: features, labels and the grid, the same for everyone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.path.objective import Evaluator


@dataclass(frozen=True)
class Problem:
    """What every solver is given.

    Parameters
    ----------
    name : str
    X : (n, p) float32
        Features as extracted, without those that are constant up to rounding (deviation 1e-6).
    y : (n,) int64
        Classes 0 … K - 1.
    family : {"binomial", "multinomial"}
    l1_ratio : float
    lambdas : (L,) float64
        Decreasing from the smallest lam at which all coefficients are zero.
    intercept : bool
        False for the problem that celer and liblinear solve.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    family: str
    l1_ratio: float
    lambdas: np.ndarray
    intercept: bool = True

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Features."""
        return int(self.X.shape[1])

    @property
    def n_classes(self) -> int:
        """Classes K."""
        return int(self.y.max()) + 1

    @cached_property
    def standardised(self) -> np.ndarray:
        """Features (n, p) float64 of mean 0 and population deviation 1."""
        return standardise(self.X)

    def evaluator(self) -> Evaluator:
        """What judges every solver's coefficients."""
        return Evaluator(
            self.standardised, self.y, self.family, self.l1_ratio, intercept=self.intercept
        )

    @property
    def digest(self) -> str:
        """Of all that is solved: results of another problem are not taken for this one's."""
        about = [self.name, self.family, self.l1_ratio, self.intercept, self.X.shape]
        hashed = hashlib.sha256(json.dumps(about).encode())
        for array in (self.lambdas, self.y, np.ascontiguousarray(self.X)):
            hashed.update(array.data)
        return hashed.hexdigest()[:16]

    def save(self, folder: Path) -> None:
        """Write the problem where :meth:`load` finds it."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "X.npy", self.X)
        np.savez(folder / "rest.npz", y=self.y, lambdas=self.lambdas)
        about = {
            "name": self.name,
            "family": self.family,
            "l1_ratio": self.l1_ratio,
            "intercept": self.intercept,
        }
        (folder / "problem.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, folder: Path) -> Problem:
        """Read what :meth:`save` wrote."""
        with np.load(folder / "rest.npz") as rest:
            y, lambdas = rest["y"], rest["lambdas"]
        about = json.loads((folder / "problem.json").read_text())
        return cls(X=np.load(folder / "X.npy"), y=y, lambdas=lambdas, **about)


def make_problem(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    *,
    l1_ratio: float = 0.99,
    points: int = 100,
    ratio: float | None = None,
    intercept: bool = True,
) -> Problem:
    """Make a problem with its grid: down to 0.001 of the largest lam, 0.01 where K > 20.

    Classes without a row are left out.
    """
    X = np.ascontiguousarray(X[:, X.std(axis=0, dtype=np.float64) > 1e-6], dtype=np.float32)
    y = np.unique(y, return_inverse=True)[1].astype(np.int64)
    n_classes = int(y.max()) + 1
    family = "binomial" if n_classes == 2 else "multinomial"
    judge = Evaluator(standardise(X), y, family, l1_ratio, intercept=intercept)
    least = ratio if ratio is not None else (0.01 if n_classes > 20 else 0.001)
    lambdas = judge.lambda_max() * np.geomspace(1.0, least, points)
    return Problem(name, X, y, family, l1_ratio, lambdas, intercept)


def standardise(X: np.ndarray) -> np.ndarray:
    """Features of mean 0 and population deviation 1, float64."""
    S = X.astype(np.float64)
    S -= S.mean(axis=0)
    S /= np.sqrt(np.mean(S**2, axis=0))
    return S
