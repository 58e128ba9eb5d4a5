"""One change of a decision layer: what it is, in words and as JSON.

An edit either changes the *problem* whose optimum the layer is (a ban, weights, examples), or the
*layer* itself (zero, scale, refit, calibrate). A layer with edits is a function of the layer that
was selected and the list of its edits: see :func:`clearhead.layer.apply_edits`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.data.nearest import did_you_mean
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.training import TrainingRows

__all__ = ["Edit", "LayerEdit", "ProblemEdit", "class_indices", "edit_from_dict", "feature_indices"]

_ACTIONS: dict[str, type[Edit]] = {}


@dataclass(frozen=True)
class Edit(ABC):
    """A change of a layer.

    Each concrete edit sets :attr:`action`, under which JSON finds it again.
    """

    action: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.action:
            _ACTIONS[cls.action] = cls

    @abstractmethod
    def describe(self) -> str:
        """Say in words what is changed."""

    @abstractmethod
    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it names features or classes that the layer does not have."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; arrays go to :meth:`arrays`."""
        plain = {
            f.name: getattr(self, f.name) for f in fields(self) if f.metadata.get("array") is None
        }
        return {
            "action": self.action,
            **{name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()},
        }

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give the arrays that it consists of, such as features of more examples."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.metadata.get("array") is not None
        }

    @classmethod
    def from_parts(
        cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> Self:
        """Undo :meth:`to_dict` and :meth:`arrays`."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(value) - known - {"action"})
        if unknown:
            raise InputError(
                f"edit {cls.action!r}: it has no {unknown[0]!r}.{did_you_mean(unknown[0], known)}"
            )
        plain = {
            name: tuple(v) if isinstance(v, list) else v
            for name, v in value.items()
            if name != "action"
        }
        try:
            return cls(**plain, **arrays)
        except TypeError as error:
            raise InputError(
                f"edit {cls.action!r} is incomplete: {error}. Edits that hold features are made by "
                "the run: name the data or the finding instead."
            ) from error


class ProblemEdit(Edit):
    """A change of the problem: the layer is solved again, and proven to be its optimum."""

    @abstractmethod
    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""


class LayerEdit(Edit):
    """A change of the layer itself: it is no optimum any more."""

    @abstractmethod
    def change(
        self,
        layer: DecisionLayer,
        train: TrainingRows,
        validation: tuple[FloatArray, IntArray],
    ) -> DecisionLayer:
        """Change the layer; `train` is what it was fitted to, with earlier edits."""


def edit_from_dict(
    value: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]] | None = None
) -> Edit:
    """Make an edit from plain values, and the arrays where it has some.

    Raises
    ------
    InputError
        Its action is unknown, something is missing, or the action does not take it.
    """
    action = value.get("action") if isinstance(value, Mapping) else None
    if not isinstance(action, str):
        raise InputError(
            f"An edit is an object with an action ({', '.join(sorted(_ACTIONS))}); got {value!r}."
        )
    if action not in _ACTIONS:
        raise InputError(
            f"edit: there is no action {action!r}; actions are {', '.join(sorted(_ACTIONS))}."
            f"{did_you_mean(action, _ACTIONS)}"
        )
    return _ACTIONS[action].from_parts(value, arrays or {})


def class_indices(classes: Iterable[str], class_names: Sequence[str]) -> list[int]:
    """Indices of classes by name; all of them where none is named.

    Raises
    ------
    InputError
        There is no such class; the nearest name is said.
    """
    wanted = list(classes)
    for name in wanted:
        if name not in class_names:
            shown = ", ".join(class_names[:10]) + (" …" if len(class_names) > 10 else "")
            raise InputError(
                f"class: there is no class {name!r}; classes are {shown}."
                f"{did_you_mean(str(name), class_names)}"
            )
    return [class_names.index(name) for name in wanted] or list(range(len(class_names)))


def feature_indices(features: Iterable[Any], layer: DecisionLayer) -> list[int]:
    """Check that features are whole numbers that the layer has.

    Raises
    ------
    InputError
        One is not; the nearest feature that the layer uses is said.
    """
    p, found = layer.weight.shape[1], []
    for feature in features:
        if isinstance(feature, bool) or not isinstance(feature, int | np.integer):
            raise InputError(f"feature: expected a whole number, got {feature!r}.")
        if not 0 <= feature < p:
            near = did_you_mean(str(feature), map(str, layer.used))
            raise InputError(
                f"feature: there is no feature {feature}; they are 0 to {p - 1}.{near}"
            )
        found.append(int(feature))
    if not found:
        raise InputError("edit: name at least one feature.")
    return found
