"""How well does each lam do on rows that were held out, and how sure is that?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from clearhead._types import FloatArray
from clearhead.errors import DataError, InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.fit import fit_path
from clearhead.glm.folds import check_classes_learned, given_folds, make_folds
from clearhead.glm.held_out import fit_fold
from clearhead.glm.path import Path
from clearhead.glm.problem import gather
from clearhead.glm.shown import notebook_table, sparsity_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["CrossValidation", "cross_validate"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class _Rule(Protocol[T_co]):
    """A rule that picks one point by held-out rows."""

    def apply(self, path: CrossValidation) -> T_co:
        """Pick."""


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """A path on all rows, and how each of its lambdas does on held-out ones.

    Parameters
    ----------
    path : Path
        Fitted to all rows.
    fold_losses : (k, L) float64
        Mean loss of each fold's held-out rows, weighted if rows are.
    fold_accuracies : (k, L) float64 or None
        Share of them that is predicted right; None for numbers.
    fold_weights : (k,) float64
        Weight of each fold's held-out rows.
    fold_gaps : (k, L) float64
        Certified gap of each point of each fold.
    """

    path: Path
    fold_losses: FloatArray = field(repr=False)
    fold_accuracies: FloatArray | None = field(repr=False)
    fold_weights: FloatArray = field(repr=False)
    fold_gaps: FloatArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.path)

    @property
    def k(self) -> int:
        """Number of folds."""
        return len(self.fold_losses)

    @property
    def lambdas(self) -> FloatArray:
        """The grid (L,) that all folds share."""
        return self.path.lambdas

    @property
    def loss(self) -> FloatArray:
        """Mean held-out loss (L,): folds count by the weight of their rows."""
        return _mean(self.fold_losses, self.fold_weights)

    @property
    def loss_error(self) -> FloatArray:
        """Standard error (L,) of :attr:`loss`."""
        return _standard_error(self.fold_losses, self.fold_weights)

    @property
    def accuracy(self) -> FloatArray:
        """Mean held-out accuracy (L,)."""
        return _mean(self._classified(), self.fold_weights)

    @property
    def accuracy_error(self) -> FloatArray:
        """Standard error (L,) of :attr:`accuracy`."""
        return _standard_error(self._classified(), self.fold_weights)

    def _classified(self) -> FloatArray:
        if self.fold_accuracies is None:
            raise InputError(
                f"A {self.path.family} path predicts numbers and has no accuracy. Use the loss."
            )
        return self.fold_accuracies

    def select(self, rule: _Rule[T]) -> T:
        """Pick one point of :attr:`path` by a rule, such as ``OneStandardError()``."""
        return rule.apply(self)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point: lam, sparsity, held-out loss and accuracy, largest gap of folds."""
        import pandas as pd

        columns = {
            "lam": self.lambdas,
            "features_per_class": self.path.features_per_class,
            "loss": self.loss,
            "loss_error": self.loss_error,
        }
        if self.fold_accuracies is not None:
            columns |= {"accuracy": self.accuracy, "accuracy_error": self.accuracy_error}
        return pd.DataFrame(columns | {"largest_gap": self.fold_gaps.max(axis=0)})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the held-out loss against features per class, with one standard error each way."""
        axes = sparsity_axes(ax, f"held-out loss, {self.k} folds")
        used, low = self.path.features_per_class, int(np.nanargmin(self.loss))
        axes.errorbar(used, self.loss, yerr=self.loss_error, marker=".", ms=4, lw=1, elinewidth=0.5)
        limit = self.loss[low] + self.loss_error[low]
        axes.axhline(limit, color="0.6", lw=0.8, ls="--", label="one standard error above the best")
        axes.legend(frameon=False)
        drawn: Axes = axes
        return drawn

    def __repr__(self) -> str:
        best = int(np.nanargmin(self.loss))
        return (
            f"CrossValidation({self.k} folds, {len(self)} points, least loss "
            f"{self.loss[best]:.4g} ± {self.loss_error[best]:.2g} at lam={self.lambdas[best]:.4g} "
            f"with {self.path.features_per_class[best]:.1f} features a class)"
        )

    def _repr_html_(self) -> str:
        return notebook_table(self, self.to_frame())


def cross_validate(
    X: Any,
    y: Any = None,
    *,
    k: int = 5,
    groups: Any = None,
    stratified: bool = True,
    splits: Iterable[Any] | None = None,
    seed: int = 0,
    sample_weight: Any = None,
    checkpoint: str | FilePath | None = None,
    on_event: EventCallback | None = None,
    **settings: Any,
) -> CrossValidation:
    """Fit a path to all rows, and one to each of k divisions of them, on the same lambdas.

    Held-out rows are given weight 0, so folds share the features; each is standardised by
    its own training rows.

    Parameters
    ----------
    X, y, sample_weight
        As for :func:`fit_path`. Of a feature store only the training split is divided.
    k : int
        Folds.
    groups : (n,) array-like, optional
        Id of each row's group; a group is never in training and held out at once.
    stratified : bool
        Give each fold its share of every class. Without effect on several labels a row
        and on numbers.
    splits : iterable of (training rows, held-out rows), optional
        Divisions of one's own, as scikit-learn's splitters give them, in place of `k`,
        `groups` and `stratified`.
    seed : int
        Of the folds, and of the fits.
    checkpoint : path, optional
        Folder in which finished points of every fold are kept while this runs: called
        again, it goes on from them.
    on_event : callable, optional
        Receives the events of step ``"cross-validate"``.
    **settings
        Everything else that :func:`fit_path` takes.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError, DataError
        For arguments or data that are wrong; also where a fold cannot be fitted, naming it.

    References
    ----------
    Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 7.10.
    The standard error is glmnet's: folds count by the weight of their rows.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> cv = cross_validate(X, X[:, 0] > 0, k=3, n_lambdas=8)
    >>> cv.k, cv.fold_losses.shape
    (3, (3, 8))
    """
    problem = gather(
        X,
        y,
        family=str(settings.get("family", "auto")),
        validation=None,
        test=None,
        sample_weight=sample_weight,
        penalty_factor=settings.get("penalty_factor"),
        class_names=settings.get("class_names"),
    )
    present = problem.weights > 0
    target = problem.splits["train"].y if problem.family in ("binomial", "multinomial") else None
    if splits is not None:
        if groups is not None:
            raise InputError("Give either groups or splits; splits already says what is held out.")
        folds = given_folds(splits, present)
    else:
        folds = make_folds(
            problem.classes,
            target if stratified else None,
            present,
            k=k,
            groups=groups,
            seed=seed,
        )
    if target is not None:
        check_classes_learned(folds, target, problem.classes)
    watch = _Progress(on_event, len(folds), settings)
    path = fit_path(
        X,
        y,
        sample_weight=sample_weight,
        seed=seed,
        checkpoint=_folder(checkpoint, "all"),
        on_event=watch.part(0),
        **settings,
    )
    measured = []
    for number, fold in enumerate(folds, start=1):
        given = {
            **settings,
            "seed": seed,
            "checkpoint": _folder(checkpoint, f"fold-{number}"),
            "on_event": watch.part(number),
        }
        try:
            measured.append(fit_fold(problem, fold, path.lambdas, given))
        except DataError as error:
            raise DataError(f"In fold {number} of {len(folds)}: {error}") from error
    watch.end()
    losses, accuracies, gaps = zip(*measured, strict=True)
    return CrossValidation(
        path=path,
        fold_losses=np.array(losses),
        fold_accuracies=None if accuracies[0] is None else np.array(accuracies),
        fold_weights=np.array([problem.weights[fold.held_out].sum() for fold in folds]),
        fold_gaps=np.array(gaps),
    )


def _folder(checkpoint: str | FilePath | None, name: str) -> FilePath | None:
    return None if checkpoint is None else FilePath(checkpoint) / name


def _mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    return np.asarray(weights @ values / weights.sum())


def _standard_error(values: FloatArray, weights: FloatArray) -> FloatArray:
    spread = _mean((values - _mean(values, weights)) ** 2, weights)
    return np.asarray(np.sqrt(spread / (len(values) - 1)))


class _Progress:
    """Events of the fits, as parts of one step."""

    def __init__(
        self, on_event: EventCallback | None, folds: int, settings: dict[str, Any]
    ) -> None:
        given = settings.get("lambdas")
        points = int(settings.get("n_lambdas", 100)) if given is None else len(given)
        self._points = points + bool(settings.get("unpenalised", False))
        self._on_event, self._folds = on_event, folds
        self._total = self._points * (folds + 1)
        self._send("start", f"{folds} folds and all rows", 0)

    def _send(self, kind: Any, message: str, done: int) -> None:
        event = Event("cross-validate", kind, message, done, self._total, "points")
        emit(self._on_event, event)

    def part(self, number: int) -> EventCallback | None:
        """Callback for the fit to all rows (0) or to a fold."""
        if self._on_event is None:
            return None
        name = f"fold {number}/{self._folds}" if number else "all rows"

        def pass_on(event: Event) -> None:
            done = number * self._points + (event.done or 0)
            if event.kind in ("progress", "warning", "info"):
                self._send(event.kind, f"{name} · {event.message}", done)

        return pass_on

    def end(self) -> None:
        """Say that all is done."""
        self._send("end", f"{self._folds} folds", self._total)
