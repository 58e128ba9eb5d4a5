"""timm and torchvision, which are no dependencies: ``make test-vision`` installs them.

They are installed there without their dependencies, so that torch stays the one that is
pinned. A build of torchvision for another torch lacks its compiled operators, which no
classifier needs: they are declared, and never called.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest
import torch

_OPERATORS = ("nms", "qnms")
_LIBRARIES: list[Any] = []


def _unusable() -> str | None:
    for name in ("torchvision", "timm"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed: make test-vision"
    try:
        import torchvision
    except RuntimeError:
        for name in [one for one in sys.modules if one.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in _OPERATORS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARIES.append(library)  # they are gone when it is
        import torchvision  # noqa: F401
    return None


WHY_NOT = _unusable()


@pytest.fixture(autouse=True)
def _needs_the_libraries() -> None:
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
