"""Solvers, one file each.

A solver is a module with

- ``PACKAGES``: the distributions whose versions belong to its results;
- ``LADDER``: settings, the loosest first; the table has the loosest that meets the gap. The
  optional ``START`` is the first to be tried; see ``runner.next_rung``;
- ``skip(problem)``: why it cannot solve a problem, or None;
- ``prepare(problem)``: what is not timed: copies in the layout it likes, compilation;
- ``fit(problem, prepared, setting)``: a generator of ``(W, b)`` on the standardised scale, one for
  each lam of the grid as they are finished. It may return ``{"seconds": …, "peak": …}`` where the
  work was done in a process of its own. ``peak`` is its peak memory in bytes beyond the data.

and perhaps ``CURVE``: settings that are only run for the figures.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

NAMES = (
    "clearhead",
    "glmnet",
    "adelie",
    "sklearn_saga",
    "sklearn_lbfgs",
    "sklearn_newton",
    "sklearn_liblinear",
    "celer",
    "skglm",
    "glm_saga",
    "glm_saga_default",
)


def load(name: str) -> ModuleType:
    """Return the module of one solver."""
    return importlib.import_module(f"benchmarks.path.solvers.{name}")


def missing(*packages: str) -> str | None:
    """Say which distribution is not installed, if one is not."""
    for package in packages:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            return f"{package} is not installed (it may not build for this Python)"
    return None


def versions(name: str) -> dict[str, str]:
    """Versions of what a solver runs on."""
    found = {}
    for package in load(name).PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
