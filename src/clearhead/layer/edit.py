"""One change of a decision layer: what it is, in words and as JSON.

An edit either changes the *problem* whose optimum the layer is (a ban, weights, examples), or the
*layer* itself (zero, scale, refit, calibrate). A layer with edits is a function of the layer that
was selected and the list of its edits: see :func:`clearhead.layer.apply_edits`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
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
        declared = {f.name: f for f in fields(cls)}
        plain = {
            name: _checked(cls.action, declared[name], v)
            for name, v in value.items()
            if name != "action"
        }
        try:
            return cls(**plain, **arrays)
        except TypeError as error:
            lacking = [
                name
                for name, f in declared.items()
                if f.default is MISSING and name not in {*plain, *arrays}
            ]
            raise InputError(
                f"edit {cls.action!r} is incomplete: it has no {', '.join(lacking) or error}. What "
                "holds features is made by the run: name the data or the finding instead."
            ) from error


class ProblemEdit(Edit):
    """A change of the problem: the layer is solved again, and proven to be its optimum."""

    @abstractmethod
    def change(self, rows: TrainingRows, class_names: Sequence[str]) -> TrainingRows:
        """Change what the layer is fitted to."""

    def change_held_out(
        self, rows: TrainingRows, class_names: Sequence[str], split: str
    ) -> TrainingRows:
        """Change the rows of a held-out split as far as the data to come are to be like that.

        Labels that are wrong there stay wrong, and what was added is in training only.
        """
        return rows


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


def _checked(action: str, declared: Field[Any], value: Any) -> Any:
    """Take one value from JSON, where it is of the type that its field is declared to have.

    Raises
    ------
    InputError
        It is of another type.
    """
    if isinstance(value, list):
        value = tuple(value)
    types = [one for one in str(declared.type).split(" | ") if one in _FROM_JSON]
    arrays = declared.metadata.get("array") is not None
    if not arrays and (not types or any(_FROM_JSON[one][1](value) for one in types)):
        return value
    wanted = "left to the run" if arrays else " or ".join(_FROM_JSON[one][0] for one in types)
    raise InputError(f"edit {action!r}: {declared.name} must be {wanted}, got {value!r}.")


_FROM_JSON: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "None": ("null", lambda v: v is None),
    "str": ("text", lambda v: isinstance(v, str)),
    "float": ("a number", lambda v: isinstance(v, int | float) and not isinstance(v, bool)),
    "tuple[int, ...]": (
        "a list of whole numbers",
        lambda v: isinstance(v, tuple) and all(isinstance(x, int) for x in v),
    ),
    "tuple[str, ...]": (
        "a list of names",
        lambda v: isinstance(v, tuple) and all(isinstance(x, str) for x in v),
    ),
}
"""The types of the fields of edits, in words, and what fits them."""


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
