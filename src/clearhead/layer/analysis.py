"""The decision layer as a whole: everything about it that needs no network, in one result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError, SchemaVersionError
from clearhead.events import Event, EventCallback, emit
from clearhead.layer.ablation import AblationCurve, ablate
from clearhead.layer.again import LayerProblem
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.duplicates import Duplicates, find_duplicates
from clearhead.layer.sharing import (
    ClassSimilarity,
    Sharing,
    class_similarity,
    shared_features,
)
from clearhead.layer.shown import words_and_table
from clearhead.layer.stability import Stability, measure_stability, strata
from clearhead.layer.substitutes import Substitutes, find_substitutes

__all__ = ["KS", "LayerAnalysis", "analyze"]

ANALYSIS_SCHEMA = 1
KS = (1, 2, 3, 5, 10, 20, 50)


@dataclass(frozen=True, eq=False)
class LayerAnalysis:
    """What a sparse layer is made of, measured on training and validation rows.

    Parameters
    ----------
    fingerprints : mapping of str
        Those of the ``"sparse"`` and the ``"dense"`` layer that were analyzed.
    options : mapping
        ``ks``, ``n_tried``, ``n_resamples``, ``threshold`` and ``seed``.
    sparse, dense : AblationCurve
        What the top k features of each class carry, on validation.
    sharing : Sharing
        Which classes use each feature of the sparse layer.
    similarity, dense_similarity : ClassSimilarity
    duplicates : Duplicates
    substitutes : Substitutes
    stability : Stability
    """

    fingerprints: Mapping[str, str]
    options: Mapping[str, Any]
    sparse: AblationCurve
    dense: AblationCurve
    sharing: Sharing
    similarity: ClassSimilarity
    dense_similarity: ClassSimilarity
    duplicates: Duplicates
    substitutes: Substitutes
    stability: Stability

    def table(self, ks: Sequence[int] = (5, 10)) -> pd.DataFrame:
        """Accuracy of the dense and the sparse layer: with all features, the top k, the rest.

        References
        ----------
        Wong, Santurkar, Madry (2021), table 1.
        """
        rows = [
            (k, curve.name, row.all.value, row.top.value, row.rest.value)
            for k in ks
            for curve in (self.dense, self.sparse)
            for row in [curve.at(k)]
        ]
        return pd.DataFrame(rows, columns=["k", "layer", "all", "top", "rest"])

    def to_frame(self) -> pd.DataFrame:
        """One row a feature in use: classes, nearest other, cost of its absence, stability."""
        tried = {item.feature: item for item in self.substitutes.items}
        nearest = {twin.feature: twin for twin in self.duplicates.nearest}
        rows = []
        for i, feature in enumerate(self.sharing.features.tolist()):
            chosen = self.stability.chosen[:, i]
            item = tried.get(feature)
            rows.append(
                {
                    "feature": feature,
                    "n_classes": int(self.sharing.n_classes_using[i]),
                    "nearest": nearest[feature].other,
                    "correlation": nearest[feature].correlation,
                    "drop": np.nan if item is None else item.drop,
                    "stability": float(self.stability.frequency[chosen, i].max()),
                }
            )
        columns = ["feature", "n_classes", "nearest", "correlation", "drop", "stability"]
        return pd.DataFrame(rows, columns=columns)

    def plot(self, ax: Any = None) -> Any:
        """Draw accuracy with the top k features of each class, of both layers; return the Axes."""
        ax = new_axes() if ax is None else ax
        for curve, colour in ((self.sparse, "C0"), (self.dense, "C1")):
            frame = curve.to_frame()
            ax.plot(frame["k"], frame["top"], c=colour, marker=".", label=f"{curve.name}, top k")
            ax.plot(frame["k"], frame["rest"], c=colour, ls=":", label=f"{curve.name}, the rest")
        ax.set_xscale("log")
        ax.set_xlabel("k, features a class")
        ax.set_ylabel("validation accuracy")
        ax.legend(frameon=False)
        return ax

    def describe(self) -> list[str]:
        """Say in words what was found, a few sentences a part."""
        return [
            self.sparse.describe(),
            self.dense.describe(),
            *self.sharing.describe(),
            *([] if self.sharing.mirrored else self.similarity.describe()),
            *([] if self.sharing.mirrored else self.dense_similarity.describe()),
            *self.duplicates.describe(),
            *self.substitutes.describe(),
            *self.stability.describe(),
        ]

    def __repr__(self) -> str:
        return (
            f"LayerAnalysis({len(self.sharing.features)} features of "
            f"{len(self.sharing.class_names)} classes, {self.substitutes.n_tried} left out one at "
            f"a time, {self.stability.n_resamples} resamples)"
        )

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "schema_version": ANALYSIS_SCHEMA,
            "fingerprints": dict(self.fingerprints),
            "options": dict(self.options),
            **{name: getattr(self, name).to_dict() for name in _PARTS},
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`.

        Raises
        ------
        SchemaVersionError
            A newer clearhead wrote it.
        """
        version = value["schema_version"]
        if version > ANALYSIS_SCHEMA:
            raise SchemaVersionError(
                f"This layer analysis has schema version {version}; this clearhead reads up to "
                f"{ANALYSIS_SCHEMA}. Upgrade clearhead, or analyze again with --force."
            )
        parts = {name: kind.from_dict(value[name]) for name, kind in _PARTS.items()}
        return cls(fingerprints=value["fingerprints"], options=value["options"], **parts)


_PARTS: dict[str, Any] = {
    "sparse": AblationCurve,
    "dense": AblationCurve,
    "sharing": Sharing,
    "similarity": ClassSimilarity,
    "dense_similarity": ClassSimilarity,
    "duplicates": Duplicates,
    "substitutes": Substitutes,
    "stability": Stability,
}


def analyze(
    layer: DecisionLayer,
    dense: DecisionLayer,
    train: tuple[FloatArray, Any],
    validation: tuple[FloatArray, IntArray],
    *,
    sample_weight: Any = None,
    penalty_factor: Any = None,
    grouped: bool = False,
    ks: Sequence[int] = KS,
    n_tried: int = 50,
    n_resamples: int = 20,
    threshold: float = 0.95,
    seed: int = 0,
    on_event: EventCallback | None = None,
) -> LayerAnalysis:
    """Analyze a sparse decision layer beside the dense one; no network is needed.

    Every layer that is solved again is certified, at the lam of `layer`. Test rows take no
    part: what is found here may be acted on, and tested afterwards.

    Parameters
    ----------
    layer, dense : DecisionLayer
        `layer` as it was selected from its path; `dense` is only ablated and compared.
    train : (features, targets)
        Raw features (n, p) that `layer` was fitted to, and what it was fitted to: labels, or
        probabilities.
    validation : (features, labels)
        Rows on which accuracies are measured; for independent labels (n, K) of 0 and 1.
    sample_weight, penalty_factor, grouped
        As `layer` was fitted with: see :func:`clearhead.fit_path`.
    ks : sequence of int
        Features a class at which both layers are cut.
    n_tried : int
        At most so many features are left out one at a time, the heaviest first.
    n_resamples : int
        Bootstrap resamples for the stability of the choice, stratified by class.
    threshold : float
        Least |correlation| of duplicates.
    seed : int
        Of the resamples.
    on_event : callable, optional
        Receives the events of step ``"analyze"``.

    Returns
    -------
    LayerAnalysis

    Raises
    ------
    InputError
        `layer` is no point of a path, or not the optimum on the training rows given.

    Examples
    --------
    >>> import numpy as np
    >>> from clearhead import Best, Sparsest, fit_path
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> y = (X[:, 2] > 0).astype(int)
    >>> train, held = (X[:150], y[:150]), (X[150:], y[150:])
    >>> layer = fit_path(*train, validation=held).select(Sparsest())
    >>> dense = fit_path(*train, l1_ratio=0, validation=held).select(Best())
    >>> analyze(layer, dense, train, held).sharing.features
    array([2])
    """
    ks = _check_ks(ks)
    if n_tried < 0:
        raise InputError(f"n_tried: expected a number of features, 0 or more; got {n_tried!r}.")
    X, y = train
    problem = LayerProblem(
        layer, X, y,
        sample_weight=sample_weight, penalty_factor=penalty_factor, grouped=grouped,
    )  # fmt: skip
    groups = strata(np.asarray(y), multilabel=layer.multilabel)
    result = LayerAnalysis(
        fingerprints={"sparse": layer.fingerprint, "dense": dense.fingerprint},
        options={
            "ks": list(ks),
            "n_tried": n_tried,
            "n_resamples": n_resamples,
            "threshold": threshold,
            "seed": seed,
        },
        sparse=AblationCurve("sparse", tuple(ablate(layer, *validation, ks))),
        dense=AblationCurve("dense", tuple(ablate(dense, *validation, ks))),
        sharing=shared_features(layer),
        similarity=class_similarity(layer, "sparse"),
        dense_similarity=class_similarity(dense, "dense"),
        duplicates=find_duplicates(layer, X, threshold=threshold),
        substitutes=find_substitutes(problem, X, validation, n_tried=n_tried, on_event=on_event),
        stability=measure_stability(
            problem, groups, validation, n_resamples=n_resamples, seed=seed, on_event=on_event
        ),
    )
    emit(on_event, Event("analyze", "end", repr(result)))
    return result


def _check_ks(ks: Sequence[int]) -> tuple[int, ...]:
    found = tuple(sorted({int(k) for k in ks}))
    if not found or found[0] < 1:
        raise InputError(f"ks: expected numbers of features, each at least 1; got {list(ks)}.")
    return found
