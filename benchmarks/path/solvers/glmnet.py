"""glmnet (R): the whole path in one call of its own process, timed by R without reading the data.

It runs on one thread, as always. By default it ends a path early; ``fdev = 0, devmax = 1`` make it
go on to the last lam.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.path.problem import Problem

PACKAGES = ()
LADDER = tuple({"thresh": 10.0**-e} for e in range(5, 13))
START = 2

SCRIPT = r"""
suppressMessages(library(glmnet)); glmnet.control(fdev = 0, devmax = 1)
a <- commandArgs(TRUE); n <- as.integer(a[2]); p <- as.integer(a[3]); k <- as.integer(a[4])
X <- matrix(readBin(file.path(a[1], "X"), "double", n * p), n, p)
y <- factor(readBin(file.path(a[1], "y"), "integer", n))
lambdas <- readBin(file.path(a[1], "lambdas"), "double", 100000)
memory <- function(key) {
  if (!file.exists("/proc/self/status")) return(NA)
  line <- grep(key, readLines("/proc/self/status"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}
invisible(gc()); loaded <- memory("VmRSS")
t <- system.time(fit <- glmnet(X, y, family = if (k == 1) "binomial" else "multinomial",
  alpha = as.numeric(a[5]), lambda = lambdas, thresh = as.numeric(a[6]), standardize = FALSE,
  intercept = a[7] == "1", maxit = 1e9))
out <- file(file.path(a[1], "out"), "wb")
writeBin(c(t[["elapsed"]], memory("VmHWM") - loaded, length(fit$lambda)), out)
for (i in seq_along(fit$lambda)) {
  b <- if (k == 1) fit$a0[i] else fit$a0[, i]
  W <- if (k == 1) as.numeric(fit$beta[, i]) else sapply(fit$beta, function(m) as.numeric(m[, i]))
  writeBin(as.numeric(b), out); writeBin(as.numeric(W), out)
}
close(out)
"""


@cache
def version() -> str | None:
    """Version of R and of glmnet, None without them."""
    if shutil.which("Rscript") is None:
        return None
    ask = "cat(R.version.string, '/', as.character(packageVersion('glmnet')), sep = '')"
    done = subprocess.run(["Rscript", "-e", ask], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    language, _, package = done.stdout.partition("/")
    return f"glmnet {package} ({language})"


def skip(problem: Problem) -> str | None:
    """It needs R."""
    return None if version() else "Rscript or the R package glmnet is not installed (r-cran-glmnet)"


def prepare(problem: Problem) -> Any:
    """Write the standardised features where R reads them."""
    folder = tempfile.TemporaryDirectory()
    problem.standardised.T.tofile(Path(folder.name, "X"))
    problem.y.astype(np.int32).tofile(Path(folder.name, "y"))
    problem.lambdas.tofile(Path(folder.name, "lambdas"))
    return folder


def fit(problem: Problem, prepared: Any, setting: dict[str, float]) -> Iterator[Any]:
    """Run R, and read what it wrote."""
    k = 1 if problem.family == "binomial" else problem.n_classes
    arguments = [
        prepared.name, problem.n, problem.p, k, problem.l1_ratio, setting["thresh"],
        int(problem.intercept),
    ]  # fmt: skip
    subprocess.run(["Rscript", "-e", SCRIPT, *map(str, arguments)], check=True)
    values = np.fromfile(Path(prepared.name, "out"))
    seconds, peak, points = values[:3]
    for point in values[3:].reshape(int(points), -1):
        yield point[k:].reshape(k, problem.p), point[:k]
    return {"seconds": float(seconds), "peak": float(peak)}
