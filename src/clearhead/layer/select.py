"""Which point of the path: rules that look at held-out rows only.

These are the validation split of a path, or the folds of a cross-validation.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.errors import InputError
from clearhead.layer.decision import DecisionLayer

if TYPE_CHECKING:
    from clearhead.glm import CrossValidation, Path

__all__ = [
    "Best",
    "FeaturesPerClass",
    "OneStandardError",
    "Percentile",
    "Point",
    "Rule",
    "Sparsest",
    "parse_rule",
]


class Rule(ABC):
    """Base of the selection rules: :meth:`index` chooses, :meth:`apply` builds the layer."""

    @abstractmethod
    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""

    @abstractmethod
    def describe(self) -> str:
        """Say in words what the rule does."""

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it; "" where it does not."""
        return ""

    def apply(self, path: Path | CrossValidation) -> DecisionLayer:
        """Build the layer of the chosen point, fitted to all rows."""
        return DecisionLayer.from_path(_path_of(path), self.index(path))


@dataclass(frozen=True)
class Sparsest(Rule):
    """The sparsest point whose validation accuracy is within a budget of the best.

    A layer without features is taken only where no other point is within the budget: of rare
    classes it may be nearly as accurate, and there would be nothing to look at.

    Parameters
    ----------
    max_drop : float
        The budget: a difference of accuracies, or with ``relative=True`` a share of the best.
    relative : bool

    References
    ----------
    Wong, Santurkar, Madry (2021), section 3: the sparsest layer within 5 points of the best.
    """

    max_drop: float = 0.05
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.max_drop < 1:
            raise InputError(
                f"max_drop: expected a fraction in [0, 1), got {self.max_drop!r}; "
                "0.05 means five points of accuracy."
            )

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        accuracy = _validation_accuracy(path)
        best = accuracy.max()
        floor = best * (1 - self.max_drop) if self.relative else best - self.max_drop
        within = accuracy >= floor - 1e-12
        uses = np.asarray(_path_of(path).features_per_class) > 0
        return _sparsest(path, accuracy, within & uses if (within & uses).any() else within)

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it."""
        return (
            f"sparsest:{100 * self.max_drop!r}%" if self.relative else f"sparsest:{self.max_drop!r}"
        )

    def describe(self) -> str:
        """Say in words what the rule does."""
        unit = "% (relative)" if self.relative else " points"
        return f"sparsest within {100 * self.max_drop:g}{unit} of the best validation accuracy"


@dataclass(frozen=True)
class Best(Rule):
    """The point with the best validation accuracy; the sparsest of equals."""

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        accuracy = _validation_accuracy(path)
        return _sparsest(path, accuracy, accuracy >= accuracy.max())

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it."""
        return "best"

    def describe(self) -> str:
        """Say in words what the rule does."""
        return "best validation accuracy"


@dataclass(frozen=True)
class FeaturesPerClass(Rule):
    """The point with the best validation accuracy among those with at most `k` features a class."""

    k: float

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise InputError(f"FeaturesPerClass: k must be above 0, got {self.k!r}.")

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        used = _path_of(path).features_per_class
        allowed = used <= self.k
        if not allowed.any():
            raise InputError(
                f"No point of the path has at most {self.k:g} features a class (the sparsest has "
                f"{used.min():.1f}). Ask for more features, or fit with "
                "larger lambdas."
            )
        accuracy = _validation_accuracy(path)
        return _sparsest(path, accuracy, allowed & (accuracy >= accuracy[allowed].max()))

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it."""
        return f"features:{self.k!r}"

    def describe(self) -> str:
        """Say in words what the rule does."""
        return f"best validation accuracy with at most {self.k:g} features a class"


@dataclass(frozen=True)
class Percentile(Rule):
    """The sparsest point that reaches `q` percent of the path's range of validation accuracy.

    ``q=0`` is the worst accuracy on the path, ``q=100`` the best.
    """

    q: float

    def __post_init__(self) -> None:
        if not 0 <= self.q <= 100:
            raise InputError(f"Percentile: q must be in [0, 100], got {self.q!r}.")

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        accuracy = _validation_accuracy(path)
        low, high = accuracy.min(), accuracy.max()
        return _sparsest(path, accuracy, accuracy >= low + (high - low) * self.q / 100 - 1e-12)

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it."""
        return f"percentile:{self.q!r}"

    def describe(self) -> str:
        """Say in words what the rule does."""
        return f"sparsest at {self.q:g}% of the path's range of validation accuracy"


@dataclass(frozen=True)
class OneStandardError(Rule):
    """The sparsest point that does within one standard error of the best.

    Parameters
    ----------
    by : {"loss", "accuracy"}
        What is compared. On a cross-validation either; on a path with a validation split,
        whose standard error is that of a share, only accuracy.

    References
    ----------
    Breiman, Friedman, Olshen, Stone (1984), Classification and Regression Trees, section 3.4.3.
    """

    by: str = "loss"

    def __post_init__(self) -> None:
        if self.by not in ("loss", "accuracy"):
            raise InputError(f"OneStandardError: by must be loss or accuracy, got {self.by!r}.")

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        score, error = self._measured(path)
        best = int(np.nanargmax(score))
        return _sparsest(path, score, score >= score[best] - error[best] - 1e-12)

    def _measured(self, path: Path | CrossValidation) -> tuple[FloatArray, FloatArray]:
        """Score of each point, more is better, with its standard error."""
        from clearhead.glm import CrossValidation

        if isinstance(path, CrossValidation):
            if self.by == "loss":
                return -path.loss, path.loss_error
            return path.accuracy, path.accuracy_error
        if self.by == "loss":
            raise InputError(
                "OneStandardError: a validation split gives no standard error of the loss. Use "
                "OneStandardError('accuracy'), or the result of cross_validate."
            )
        share = _validation_accuracy(path)
        return share, np.sqrt(share * (1 - share) / path.n_samples["validation"])

    @property
    def text(self) -> str:
        """How :func:`parse_rule` reads it."""
        return "one-se" if self.by == "accuracy" else ""

    def describe(self) -> str:
        """Say in words what the rule does."""
        return f"sparsest within one standard error of the best held-out {self.by}"


@dataclass(frozen=True)
class Point(Rule):
    """One point of the path, by its number from 0.

    Parameters
    ----------
    number : int
        0 is the sparsest.
    """

    number: int

    def index(self, path: Path | CrossValidation) -> int:
        """Index of the chosen point."""
        length = len(_path_of(path))
        if not 0 <= self.number < length:
            raise InputError(f"point {self.number}: the path has points 0 to {length - 1}.")
        return self.number

    def describe(self) -> str:
        """Say in words what the rule does."""
        return f"point {self.number} of the path"


_FORMS: dict[str, str] = {
    "best": "best",
    "sparsest": "sparsest:0.05 or sparsest:5%",
    "features": "features:20",
    "percentile": "percentile:95",
    "one-se": "one-se",
    "point": "point:12",
}


def parse_rule(text: str) -> Rule:
    """Read a rule as the command line writes it.

    ``best``, ``sparsest:0.05`` (absolute), ``sparsest:5%`` (relative to the best),
    ``features:20``, ``percentile:95``, ``one-se`` (one standard error of the accuracy),
    ``point:12`` (by its number on the path, from 0).

    >>> parse_rule("sparsest:5%")
    Sparsest(max_drop=0.05, relative=True)
    """
    match = re.fullmatch(r"(best|one-se|sparsest|features|percentile)(?::([0-9.eE+-]+)(%?))?", text)
    if match is not None:
        kind, number, percent = match.groups()
        try:
            return _build_rule(kind, None if number is None else float(number), percent == "%")
        except (TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
    forms = ", ".join(_FORMS.values())
    raise InputError(f"rule: {text!r} is no selection rule. Write one of: {forms}.")


def _build_rule(kind: str, number: float | None, percent: bool) -> Rule:
    if kind == "best" and number is None:
        return Best()
    if kind == "one-se" and number is None:
        return OneStandardError("accuracy")
    if kind == "sparsest":
        if number is None:
            return Sparsest()
        return Sparsest(number / 100, relative=True) if percent else Sparsest(number)
    if kind == "features" and number is not None and not percent:
        return FeaturesPerClass(number)
    if kind == "percentile" and number is not None:
        return Percentile(number)
    raise ValueError(kind)


def _path_of(path: Path | CrossValidation) -> Path:
    """Return the path on all rows of a cross-validation; a path itself."""
    from clearhead.glm import CrossValidation

    return path.path if isinstance(path, CrossValidation) else path


def _validation_accuracy(path: Path | CrossValidation) -> FloatArray:
    from clearhead.glm import CrossValidation

    if isinstance(path, CrossValidation):
        return path.accuracy
    scores = path.accuracies.get("validation")
    if path.family == "gaussian":
        raise InputError(
            "Numbers have no accuracy, so this rule cannot choose among them. Cross-validate and "
            "take the rule OneStandardError(by='loss'), or take a point yourself by path.losses."
        )
    if scores is None:
        raise InputError(
            "This path has no validation accuracies, so no point can be chosen by them. Fit with "
            "validation=(X, y), or take a point yourself: DecisionLayer.from_path(path, index)."
        )
    return np.array([score.value for score in scores])


def _sparsest(source: Path | CrossValidation, accuracy: FloatArray, allowed: BoolArray) -> int:
    """Fewest features among `allowed`; then the higher accuracy; then the larger λ.

    Points that are not optimal are passed over as long as an optimal one is allowed.
    """
    path = _path_of(source)
    if (allowed & path.optimal).any():
        allowed = allowed & path.optimal
    candidates = np.flatnonzero(allowed)
    keys = [(path.features_per_class[i], -accuracy[i], i) for i in candidates]
    return int(min(keys)[2])
