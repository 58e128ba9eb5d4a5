"""Which features do several classes use, and which classes weigh them alike?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.shown import words_and_table

__all__ = ["ClassSimilarity", "Sharing", "class_similarity", "shared_features"]


@dataclass(frozen=True, eq=False)
class Sharing:
    """How many classes use each feature, and how many features each pair of classes shares.

    Parameters
    ----------
    class_names : tuple of str
    features : ndarray of shape (u,), int
        Features that the layer uses, ascending.
    signs : ndarray of shape (K, u), int
        1 where the feature counts for the class, -1 where it counts against it, 0 where the
        class does not use it.
    mirrored : bool
        Two classes are told apart by one weight vector: whatever counts for one counts as
        much against the other, so that every feature is shared.
    """

    class_names: tuple[str, ...]
    features: IntArray
    signs: IntArray
    mirrored: bool

    @property
    def n_classes_using(self) -> IntArray:
        """Number of classes that use each feature, shape (u,)."""
        return np.asarray(np.count_nonzero(self.signs, axis=0))

    @property
    def shared(self) -> IntArray:
        """Number of features that two classes both use, shape (K, K); its own on the diagonal."""
        uses = np.abs(self.signs)
        return np.asarray(uses @ uses.T)

    @property
    def opposed(self) -> IntArray:
        """Of :attr:`shared` those that count for one class and against the other, (K, K)."""
        return np.asarray((self.shared - self.signs @ self.signs.T) // 2)

    def most_shared(self, k: int | None = None) -> list[int]:
        """Features that most classes use, most first; those of one class are left out."""
        using = self.n_classes_using
        order = np.argsort(-using, kind="stable")
        return [int(self.features[i]) for i in order if using[i] > 1][:k]

    def to_frame(self) -> pd.DataFrame:
        """One row a feature, most shared first: how many classes, for which, against which."""
        using = self.n_classes_using
        rows = [
            {
                "feature": int(self.features[i]),
                "n_classes": int(using[i]),
                "for": ", ".join(self._names(self.signs[:, i] > 0)),
                "against": ", ".join(self._names(self.signs[:, i] < 0)),
            }
            for i in np.argsort(-using, kind="stable")
        ]
        return pd.DataFrame(rows, columns=["feature", "n_classes", "for", "against"])

    def plot(self, ax: Any = None) -> Any:
        """Draw how many features each pair of classes shares; return the Axes."""
        return _matrix(self.shared, self.class_names, "features in common", ax)

    def describe(self, k: int = 3) -> list[str]:
        """Say in words how much is shared, and which features most."""
        n, K = len(self.features), len(self.class_names)
        if self.mirrored:
            first, second = self.class_names
            pro = int((self.signs[1] > 0).sum())
            return [
                f"One weight vector tells {first} and {second} apart: of its {n} features "
                f"{pro} count for {second}, {n - pro} for {first}, and each as much against the "
                "other."
            ]
        several = int((self.n_classes_using > 1).sum())
        lines = [f"{several} of {n} features in use are used by more than one of {K} classes."]
        place = {int(feature): i for i, feature in enumerate(self.features)}
        for feature in self.most_shared(k):
            sign = self.signs[:, place[feature]]
            parts = []
            for word, where in (("for", sign > 0), ("against", sign < 0)):
                if where.any():
                    parts.append(f"{word} {_few(self._names(where))}")
            count = np.count_nonzero(sign)
            lines.append(f"Feature {feature} is used by {count} classes: {'; '.join(parts)}.")
        return lines

    def _names(self, where: Any) -> list[str]:
        return [self.class_names[c] for c in np.flatnonzero(where)]

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_names": list(self.class_names),
            "features": self.features.tolist(),
            "signs": self.signs.tolist(),
            "mirrored": self.mirrored,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        names = tuple(value["class_names"])
        features = np.array(value["features"], dtype=np.int64)
        signs = np.array(value["signs"], dtype=np.int64).reshape(len(names), len(features))
        return cls(names, features, signs, bool(value["mirrored"]))


@dataclass(frozen=True, eq=False)
class ClassSimilarity:
    """Cosine of each pair of classes' weights, on the standardised scale.

    Parameters
    ----------
    name : str
        Of the layer: ``"sparse"`` or ``"dense"``.
    class_names : tuple of str
    cosine : ndarray of shape (K, K), float64
        In [-1, 1]; 0 beside a class without weights. Two mirrored classes have -1.
    """

    name: str
    class_names: tuple[str, ...]
    cosine: FloatArray

    def nearest(self, class_index: int) -> tuple[int, float]:
        """Class whose weights are most like those of one class, and their cosine."""
        others = self.cosine[class_index].copy()
        others[class_index] = -np.inf
        other = int(others.argmax())
        return other, float(others[other])

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of classes, most alike first."""
        a, b = np.triu_indices(len(self.class_names), 1)
        values = self.cosine[a, b]
        order = np.argsort(-values, kind="stable")
        names = np.array(self.class_names, dtype=object)
        return pd.DataFrame(
            {"class": names[a[order]], "other": names[b[order]], "cosine": values[order]}
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the cosines as a matrix; return the Axes."""
        return _matrix(self.cosine, self.class_names, f"cosine, {self.name} layer", ax)

    def describe(self, k: int = 3) -> list[str]:
        """Say in words which classes the layer weighs most alike."""
        if len(self.class_names) == 2:
            value = self.cosine[0, 1]
            return [f"{self.name} layer: the two classes' weights have cosine {value:+.2f}."]
        pairs = [
            f"{row['class']} and {row['other']} ({row['cosine']:+.2f})"
            for _, row in self.to_frame().head(k).iterrows()
        ]
        return [f"{self.name} layer: most alike are {', '.join(pairs)}."]

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; cosines to five decimals."""
        return {
            "name": self.name,
            "class_names": list(self.class_names),
            "cosine": np.round(self.cosine, 5).tolist(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(str(value["name"]), tuple(value["class_names"]), np.array(value["cosine"]))


def shared_features(layer: DecisionLayer) -> Sharing:
    """Count, for each feature of `layer`, the classes that use it."""
    used = layer.used
    return Sharing(
        class_names=layer.class_names,
        features=used,
        signs=np.sign(layer.weight[:, used]).astype(np.int64),
        mirrored=layer.certificate.family == "binomial",
    )


def class_similarity(layer: DecisionLayer, name: str = "sparse") -> ClassSimilarity:
    r"""Compare the weights of each pair of classes.

    .. math:: \cos(a, b) = \frac{w_a \cdot w_b}{\|w_a\| \, \|w_b\|}
    """
    length = np.linalg.norm(layer.weight, axis=1, keepdims=True)
    unit = layer.weight / np.where(length > 0, length, 1.0)
    return ClassSimilarity(name, layer.class_names, np.clip(unit @ unit.T, -1.0, 1.0))


def _matrix(values: Any, names: tuple[str, ...], title: str, ax: Any) -> Any:
    ax = new_axes() if ax is None else ax
    ax.figure.colorbar(ax.imshow(values), ax=ax)
    places = range(len(names))
    ax.set_xticks(places, names, rotation=90)
    ax.set_yticks(places, names)
    ax.set_title(title)
    return ax


def _few(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
