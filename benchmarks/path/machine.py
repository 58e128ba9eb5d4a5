"""What the figures were measured on."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.path import solvers
from benchmarks.path.solvers import glmnet


@cache
def describe(threads: int) -> dict[str, Any]:
    """Describe processor, libraries and versions."""
    import os

    import numpy  # noqa: F401 - its BLAS is looked for
    import threadpoolctl
    import torch

    blas = {
        f"{pool.get('internal_api')} {pool.get('version') or ''}".strip()
        for pool in threadpoolctl.threadpool_info()
        if pool.get("user_api") == "blas"
    }
    packages = sorted({p for name in solvers.NAMES for p in solvers.load(name).PACKAGES})
    found = {p: _version(p) for p in packages}
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_gb": _memory(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": sorted(blas),
        "torch_mkl": bool(torch.backends.mkl.is_available()),
        "versions": {p: v for p, v in found.items() if v},
        "glmnet": glmnet.version(),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _memory() -> float | None:
    path = Path("/proc/meminfo")
    if not path.exists():
        return None
    return round(int(path.read_text().split()[1]) / 2**20, 1)
