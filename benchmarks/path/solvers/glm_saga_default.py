"""glm_saga on the CPU as its users run it: one run, whatever gap that ends with.

Learning rate 0.1, tol 1e-4, lookbehind 3, at most 2,000 epochs a lam, on its own grid (which is
ours, in float32); only its batches come faster than from the usual DataLoader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.path.problem import Problem
from benchmarks.path.solvers import glm_saga

PACKAGES = glm_saga.PACKAGES
LADDER = ({"lr": 0.1, "tol": 1e-4, "lookbehind": 3, "epochs": 2000},)
ANY_GAP = True
skip = glm_saga.skip
prepare = glm_saga.prepare


def fit(problem: Problem, prepared: glm_saga.Batches, setting: dict[str, float]) -> Iterator[Any]:
    """Run its path function."""
    import torch
    from glm_saga.elasticnet import glm_saga as run

    linear = torch.nn.Linear(problem.p, problem.n_classes)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    lambdas, r = glm_saga.translate(problem)
    found = run(
        linear, prepared, setting["lr"], int(setting["epochs"]), r, tol=setting["tol"],
        n_ex=problem.n, n_classes=problem.n_classes, k=len(lambdas),
        epsilon=float(lambdas[-1] / lambdas[0]), do_zero=False, group=False,
        lookbehind=int(setting["lookbehind"]),
        metadata={"max_reg": {"nongrouped": float(lambdas[0]) * max(0.001, r)}},
    )  # fmt: skip
    for point in found["path"]:
        yield glm_saga.coefficients(problem, point["weight"], point["bias"])
