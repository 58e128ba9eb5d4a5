"""Time a whole path on generated deep features, glmnet beside it in the same run.

    python benchmarks/path/run.py N P K [--l1-ratio 0.99] [--points 100] [--glmnet]

The figures in docs/design/path-solver.md were made with it. glmnet needs Rscript.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from clearhead.glm import fit_path

GLMNET = """
suppressMessages(library(glmnet)); glmnet.control(fdev = 0, devmax = 1)
a <- commandArgs(TRUE); n <- as.integer(a[2]); p <- as.integer(a[3]); k <- as.integer(a[4])
X <- matrix(readBin(file.path(a[1], "X"), "double", n * p), n, p)
y <- readBin(file.path(a[1], "y"), "integer", n)
lams <- readBin(file.path(a[1], "lambdas"), "double", 10000)
t <- system.time(fit <- glmnet(X, factor(y), family = if (k == 2) "binomial" else "multinomial",
                               alpha = as.numeric(a[5]), lambda = lams, thresh = 1e-7))
S <- scale(X) * sqrt(n / (n - 1))
i <- length(fit$lambda)
W <- if (k == 2) matrix(fit$beta[, i], 1) else t(sapply(fit$beta, function(m) m[, i]))
W <- W * rep(apply(X, 2, sd) * sqrt((n - 1) / n), each = nrow(W))
Z <- predict(fit, X, s = fit$lambda[i]); dim(Z) <- c(n, length(Z) / n)
if (k == 2) { m <- ifelse(y == 1, Z, -Z); loss <- pmax(-m, 0) + log1p(exp(-abs(m)))
} else { top <- apply(Z, 1, max)
  loss <- log(rowSums(exp(Z - top))) + top - Z[cbind(seq_along(y), y + 1)] }
r <- as.numeric(a[5])
cat(t[["elapsed"]], mean(loss) + fit$lambda[i] * (r * sum(abs(W)) + (1 - r) / 2 * sum(W^2)), i)
"""


def deep_features(n: int, p: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rectified, correlated features and labels of k classes."""
    random = np.random.default_rng(seed)
    rank = max(10, p // 8)
    mix = random.standard_normal((rank, p)) / np.arange(1, rank + 1)[:, None] ** 0.7
    X = random.standard_normal((n, rank)) @ mix
    X = np.maximum(X + 0.7 * random.standard_normal((n, p)), -0.3)
    W = random.standard_normal((k, p)) * (random.random((k, p)) < 20 / p)
    scores = 0.8 * ((X - X.mean(axis=0)) / X.std(axis=0)) @ W.T
    return X.astype(np.float32), (scores + random.gumbel(size=scores.shape)).argmax(axis=1)


def main() -> None:
    """Fit, and print one line a solver."""
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("p", type=int)
    parser.add_argument("k", type=int)
    parser.add_argument("--l1-ratio", type=float, default=0.99)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--ratio", type=float, default=1e-3)
    parser.add_argument("--glmnet", action="store_true")
    parser.add_argument("--limit", type=float, default=600)
    a = parser.parse_args()
    X, y = deep_features(a.n, a.p, a.k)
    start = time.perf_counter()
    path = fit_path(
        X, y, l1_ratio=a.l1_ratio, n_lambdas=a.points, lambda_min_ratio=a.ratio,
        on_event=lambda event: None,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    W, r, lam = path.coef(-1), a.l1_ratio, path.lambdas[-1]
    ours = path.losses["train"][-1] + lam * (r * np.abs(W).sum() + (1 - r) / 2 * (W**2).sum())
    print(
        f"clearhead  {seconds:8.1f} s  objective at the last point {ours:.8f}  largest gap "
        f"{path.gaps.max():.1e}  {int(path.optimal.sum())}/{len(path)} optimal  "
        f"{path.features_per_class[-1]:.1f} features a class",
        flush=True,
    )
    if a.glmnet and shutil.which("Rscript"):
        with tempfile.TemporaryDirectory() as folder:
            X.astype(np.float64).T.tofile(Path(folder, "X"))
            y.astype(np.int32).tofile(Path(folder, "y"))
            path.lambdas.tofile(Path(folder, "lambdas"))
            arguments = [folder, a.n, a.p, a.k, a.l1_ratio]
            try:
                done = subprocess.run(
                    ["Rscript", "-e", GLMNET, *map(str, arguments)],
                    capture_output=True, text=True, timeout=a.limit, check=True,
                )  # fmt: skip
                seconds, theirs, points = done.stdout.split()
                above = float(theirs) / ours - 1
                print(
                    f"glmnet     {float(seconds):8.1f} s  {above:+.1e} relative to ours, "
                    f"{points} points"
                )
            except subprocess.TimeoutExpired:
                print(f"glmnet     >= {a.limit:.0f} s")


if __name__ == "__main__":
    main()
