"""The rows that a layer is fitted to, as edits change them before it is solved again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._types import BoolArray, FloatArray, IntArray, StrArray
from clearhead.errors import InputError

__all__ = ["TrainingRows"]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Features, targets and weights of the training split, and what a layer may use.

    Parameters
    ----------
    features : ndarray of shape (n, p)
        Raw deep features.
    labels : ndarray of shape (n,), int
    weight : ndarray of shape (n,), float64
        How much each row counts; 0 leaves it out.
    ids : ndarray of shape (n,), str
        Of the examples; rows that an edit added have "".
    metadata : DataFrame of n rows
    allowed : ndarray of shape (K, p), bool
        False where a class must not use a feature.
    soft : ndarray of shape (n, K), optional
        Probabilities that the layer is fitted to in place of the labels.
    """

    features: FloatArray
    labels: IntArray
    weight: FloatArray
    ids: StrArray
    metadata: pd.DataFrame
    allowed: BoolArray
    soft: FloatArray | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.allowed.shape[0])

    @property
    def targets(self) -> Any:
        """What the layer is fitted to: labels (n,), or probabilities (n, K)."""
        return self.labels if self.soft is None else self.soft

    def weighted(self, weight: FloatArray) -> Self:
        """Give the same rows with other weights, scaled so that their sum stays what it was."""
        return replace(self, weight=weight * (self.weight.sum() / weight.sum()))

    def labelled(self, rows: IntArray, labels: IntArray) -> Self:
        """Give other labels to some rows."""
        changed = self.labels.copy()
        changed[rows] = labels
        soft = None if self.soft is None else self.soft.copy()
        if soft is not None:
            soft[rows] = np.eye(self.n_classes)[labels]
        return replace(self, labels=changed, soft=soft)

    def replaced(self, rows: IntArray, features: FloatArray) -> Self:
        """Give other features to some rows."""
        changed = self.features.copy()
        changed[rows] = features
        return replace(self, features=changed)

    def with_copies(self, rows: IntArray, features: FloatArray, weight: FloatArray) -> Self:
        """Add copies of some rows that differ in their features (m, p) and weights (m,)."""
        return replace(
            self,
            features=np.concatenate([self.features, features.astype(self.features.dtype)]),
            labels=np.concatenate([self.labels, self.labels[rows]]),
            weight=np.concatenate([self.weight, weight]),
            ids=np.concatenate([self.ids, np.full(len(rows), "", dtype=object)]),
            metadata=pd.concat([self.metadata, self.metadata.iloc[rows]], ignore_index=True),
            soft=None if self.soft is None else np.concatenate([self.soft, self.soft[rows]]),
        )

    def with_examples(self, features: FloatArray, labels: IntArray, weight: FloatArray) -> Self:
        """Add examples (m, p) that were not there."""
        nothing = pd.DataFrame(
            index=range(len(labels)), columns=self.metadata.columns, dtype=object
        )
        own = None
        if self.soft is not None:
            own = np.concatenate([self.soft, np.eye(self.n_classes)[labels]])
        return replace(
            self,
            features=np.concatenate([self.features, features.astype(self.features.dtype)]),
            labels=np.concatenate([self.labels, labels]),
            weight=np.concatenate([self.weight, weight]),
            ids=np.concatenate([self.ids, np.full(len(labels), "", dtype=object)]),
            metadata=pd.concat([self.metadata.astype(object), nothing], ignore_index=True),
            soft=own,
        )

    def rows_of(self, ids: tuple[str, ...], what: str) -> IntArray:
        """Rows of the examples `ids`.

        Raises
        ------
        InputError
            None of them is a training example.
        """
        places = {str(key): row for row, key in enumerate(self.ids) if key}
        found = [places[key] for key in ids if key in places]
        if not found:
            raise InputError(
                f"{what}: none of the {len(ids)} examples named is in the training split. Edits "
                "change what the layer is fitted to, so name training examples."
            )
        return np.array(found, dtype=np.int64)
