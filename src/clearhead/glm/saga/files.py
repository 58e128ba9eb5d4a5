"""The files that glm_saga leaves: tensors and numbers, and nothing else is let in."""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import CorruptFileError, InputError, StepMissingError

__all__ = ["SagaPoint", "read_points"]

_KEYS = ("lam", "alpha", "weight", "bias")


@dataclass(frozen=True)
class SagaPoint:
    """One file ``params{number}.pth``.

    Parameters
    ----------
    number : int
    lam, alpha : float
    weight : (K, p) float64
    bias : (K,) float64
    """

    number: int
    lam: float
    alpha: float
    weight: FloatArray
    bias: FloatArray


def read_points(folder: Path, numbers: Sequence[int] | None = None) -> list[SagaPoint]:
    """Read the points in `folder`, in order.

    Raises
    ------
    StepMissingError
        If there is none.
    CorruptFileError
        If one is missing, damaged, of another layout, or would run code.
    InputError
        If `numbers` names one that is not there.
    """
    found = _numbers(folder)
    if numbers is None:
        missing = sorted(set(range(found[-1] + 1)) - set(found))
        if missing:
            raise CorruptFileError(
                f"{folder} lacks params{missing[0]}.pth, though it has params{found[-1]}.pth. Copy "
                "the whole folder, or name the points to read with points=[...]."
            )
        numbers = found
    absent = sorted(set(numbers) - set(found))
    if absent or len(numbers) == 0:
        what = f"has no params{absent[0]}.pth" if absent else "was asked for no point"
        raise InputError(f"{folder} {what}; it has points {found[0]} to {found[-1]}.")
    points = [_read(folder / f"params{i}.pth", i) for i in sorted(set(numbers))]
    first = points[0]
    for before, point in pairwise(points):
        name = folder / f"params{point.number}.pth"
        if point.weight.shape != first.weight.shape or point.alpha != first.alpha:
            raise CorruptFileError(
                f"{name} has weights of shape {point.weight.shape} and alpha {point.alpha:g}; "
                f"params{first.number}.pth has {first.weight.shape} and {first.alpha:g}. They are "
                "of different runs: keep those of one in the folder."
            )
        if not point.lam < before.lam:
            raise CorruptFileError(
                f"{name} has lam {point.lam:g}, which is not below the {before.lam:g} of "
                f"params{before.number}.pth. They are of different runs: keep those of one in the "
                "folder."
            )
    return points


def _numbers(folder: Path) -> list[int]:
    names = (re.fullmatch(r"params(\d+)\.pth", file.name) for file in folder.glob("params*.pth"))
    found = sorted(int(name.group(1)) for name in names if name is not None)
    if not found:
        raise StepMissingError(
            f"{folder} holds no params0.pth. Pass the folder that was given to glm_saga as "
            "checkpoint."
        )
    return found


def _read(file: Path, number: int) -> SagaPoint:
    content = _load(file)
    if not isinstance(content, dict) or not set(_KEYS) <= set(content):
        has = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise CorruptFileError(
            f"{file} is not glm_saga's: it should hold {', '.join(_KEYS)}, and holds {has}."
        )
    lam, alpha = (_number(content[key], key, file) for key in ("lam", "alpha"))
    weight, bias = (_array(content[key], key, file) for key in ("weight", "bias"))
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise CorruptFileError(
            f"{file} holds a weight of shape {weight.shape} and a bias of shape {bias.shape}; "
            "(K, p) and (K,) were expected."
        )
    if not (0.0 <= alpha <= 1.0 and 0.0 <= lam < np.inf):
        raise CorruptFileError(f"{file} holds lam {lam:g} and alpha {alpha:g}: out of range.")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise CorruptFileError(
            f"{file} holds weights that are not finite: glm_saga broke down there (a constant "
            "feature and group=True do that). Name the points before it with points=[...]."
        )
    return SagaPoint(number, lam, alpha, weight, bias)


def _load(file: Path) -> Any:
    import torch

    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line), "")
        raise CorruptFileError(
            f"{file} was refused: it holds more than tensors and numbers, and loading it could run "
            f"code. {reason.strip()} Check where it comes from; glm_saga writes none such."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise CorruptFileError(
            f"{file} cannot be read ({type(error).__name__}). Copy it again from where glm_saga "
            "wrote it."
        ) from error


def _number(value: Any, key: str, file: Path) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CorruptFileError(f"{file}: {key} should be a number; it is {value!r:.60}.") from error


def _array(value: Any, key: str, file: Path) -> FloatArray:
    import torch

    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        raise CorruptFileError(
            f"{file}: {key} should be a tensor of floats; it is {type(value).__name__}."
        )
    return np.asarray(value.detach().double().numpy())
