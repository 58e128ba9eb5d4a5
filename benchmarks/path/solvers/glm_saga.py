"""glm_saga on the CPU, made to go on until its points are good.

It gets batches by slicing tensors, which is much faster than the usual DataLoader. For two classes
it fits a softmax of two; with W = ±w/2 that is the binomial problem for another lam and l1_ratio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import missing

PACKAGES = ("glm-saga", "torch")
LADDER = (
    {"lr": 0.1, "tol": 1e-4, "lookbehind": 3, "epochs": 200},
    {"lr": 0.1, "tol": 1e-5, "lookbehind": 5, "epochs": 2000},
    {"lr": 0.1, "tol": 1e-6, "lookbehind": 10, "epochs": 20000},
)
BATCH = 256


def skip(problem: Problem) -> str | None:
    """It always fits an intercept."""
    if not problem.intercept:
        return "it always fits an intercept"
    return missing("glm-saga")


class Batches:
    """Shuffled batches of features, labels and row numbers."""

    def __init__(self, X: Any, y: Any) -> None:
        self.X, self.y = X, y

    def __len__(self) -> int:
        return (len(self.y) + BATCH - 1) // BATCH

    def __iter__(self) -> Iterator[Any]:
        import torch

        for rows in torch.randperm(len(self.y)).split(BATCH):
            yield self.X[rows], self.y[rows], rows


def prepare(problem: Problem) -> Any:
    """Hold the standardised features in float32, as it does."""
    import torch

    torch.manual_seed(0)
    return Batches(torch.from_numpy(problem.standardised).float(), torch.from_numpy(problem.y))


def translate(problem: Problem) -> tuple[np.ndarray, float]:
    """Grid and l1_ratio of the same problem as a softmax over the classes."""
    r = problem.l1_ratio
    if problem.family == "multinomial":
        return problem.lambdas, r
    return problem.lambdas * (2 - r), r / (2 - r)


def coefficients(problem: Problem, weight: Any, bias: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the problem, from those of the softmax."""
    W, b = weight.detach().double().numpy().copy(), bias.detach().double().numpy().copy()
    if problem.family == "binomial":
        return W[1:] - W[:1], b[1:] - b[:1]
    return W, b


def fit(problem: Problem, prepared: Batches, setting: dict[str, float]) -> Iterator[Any]:
    """Its own solver at each lam, warm, as its path function calls it."""
    import torch
    from glm_saga.elasticnet import train_saga

    linear = torch.nn.Linear(problem.p, problem.n_classes)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    lambdas, r = translate(problem)
    state = None
    for lam in lambdas:
        state = train_saga(
            linear, prepared, setting["lr"], int(setting["epochs"]), float(lam), r, group=False,
            state=state, n_ex=problem.n, n_classes=problem.n_classes, tol=setting["tol"],
            lookbehind=int(setting["lookbehind"]), logger=lambda line: None,
        )  # fmt: skip
        yield coefficients(problem, linear.weight, linear.bias)
