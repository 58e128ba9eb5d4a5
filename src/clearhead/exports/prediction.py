"""What an exported model says of some examples, and exactly why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.layer import DecisionLayer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Prediction"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Decisions, probabilities and reasons for n examples.

    The score of class k is ``bias[k] + sum_j contribution[k, j]`` with the contribution
    ``weight[k, j] * (x[j] - center[j]) / scale[j]`` of feature j.

    Parameters
    ----------
    class_names : tuple of str
        The K classes, or labels.
    multilabel : bool
        Whether they are independent labels.
    logits, probabilities : ndarray of shape (n, K), float64
    predicted : ndarray of int64
        Index of the class (n,), or for independent labels 0 or 1 for each, (n, K).
    bias : ndarray of shape (K,)
    used : ndarray of shape (u,), int64
        The features that any class uses.
    weight : ndarray of shape (K, u)
        Their weights, on the standardised scale.
    activations : ndarray of shape (n, u) or None
        Their standardised values; None without ``explain=True``.
    """

    class_names: tuple[str, ...]
    multilabel: bool
    logits: FloatArray = field(repr=False)
    probabilities: FloatArray = field(repr=False)
    predicted: IntArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    used: IntArray = field(repr=False)
    weight: FloatArray = field(repr=False)
    activations: FloatArray | None = field(repr=False)

    @classmethod
    def of(cls, layer: DecisionLayer, features: FloatArray, *, explain: bool) -> Prediction:
        """Decide on deep features (n, p)."""
        used = layer.used
        weight = layer.weight[:, used]
        activations = layer.standardize(features, used) if explain else None
        if activations is None:
            logits = layer.logits(features)
        else:
            # Summed as contributions() is, so that the two agree to the last bit.
            logits = np.array([(weight * z).sum(axis=1) + layer.bias for z in activations])
            logits = logits.reshape(len(activations), layer.n_classes)
        return cls(
            class_names=layer.class_names,
            multilabel=layer.multilabel,
            logits=logits,
            probabilities=layer.probabilities_of(logits),
            predicted=layer.decide(logits),
            bias=layer.bias,
            used=used,
            weight=weight,
            activations=activations,
        )

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def labels(self) -> list[Any]:
        """Names: one class an example, or a tuple of the labels that are true."""
        if self.multilabel:
            return [
                tuple(self.class_names[k] for k in np.flatnonzero(row)) for row in self.predicted
            ]
        return [self.class_names[k] for k in self.predicted]

    def contributions(self, i: int = 0) -> FloatArray:
        """What each used feature adds to each class's score of example `i`, (K, u).

        ``contributions(i).sum(axis=1) + bias`` is ``logits[i]``, to the last bit.
        """
        if self.activations is None:
            raise InputError(
                "This prediction was made without reasons. Ask for them: predict(x, explain=True)."
            )
        added: FloatArray = self.weight * self.activations[self._place(i)]
        return added

    def reasons(self, i: int = 0, class_index: int | None = None) -> pd.DataFrame:
        """Give one row a feature that the class uses, the largest contribution first.

        Parameters
        ----------
        i : int
            Which example.
        class_index : int, optional
            Which class; the likeliest if not given.

        Returns
        -------
        DataFrame
            ``feature``, ``activation`` (standardised), ``weight`` and ``contribution``.
        """
        import pandas as pd

        added = self.contributions(i)
        assert self.activations is not None
        k = self._class(i, class_index)
        order = np.argsort(-np.abs(added[k]), kind="stable")
        order = order[self.weight[k, order] != 0]
        return pd.DataFrame(
            {
                "feature": self.used[order],
                "activation": self.activations[self._place(i), order],
                "weight": self.weight[k, order],
                "contribution": added[k, order],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Give one row an example: what is predicted, and the probability of every class."""
        import pandas as pd

        labels = self.labels
        shown = [", ".join(names) for names in labels] if self.multilabel else labels
        columns = pd.DataFrame(self.probabilities, columns=list(self.class_names))
        columns.insert(0, "predicted", shown, allow_duplicates=True)
        return columns

    def plot(self, i: int = 0, class_index: int | None = None, k: int = 10, ax: Any = None) -> Any:
        """Draw the `k` largest contributions to a class's score as bars; return the Axes."""
        if ax is None:
            ax = new_axes()
        which = self._class(i, class_index)
        shown = self.reasons(i, which).head(k)[::-1]
        colors = np.where(shown["contribution"] > 0, "C0", "C3")
        ax.barh([str(j) for j in shown["feature"]], shown["contribution"], color=colors)
        ax.set_xlabel("contribution to the score")
        ax.set_ylabel("feature")
        name, share = self.class_names[which], self.probabilities[self._place(i), which]
        ax.set_title(f"{name}: {share:.0%}")
        return ax

    def __repr__(self) -> str:
        why = "" if self.activations is None else f", reasons from {len(self.used)} features"
        return f"Prediction({len(self)} examples, {len(self.class_names)} classes{why})"

    def _repr_html_(self) -> str:
        from html import escape

        table = self.to_frame().to_html(float_format="{:.3f}".format, max_rows=20, max_cols=12)
        return f"<p>{escape(repr(self))}</p>{table}"

    def _place(self, i: int) -> int:
        if not -len(self) <= i < len(self):
            raise InputError(f"i: there are examples 0 to {len(self) - 1}, got {i}.")
        return i

    def _class(self, i: int, class_index: int | None) -> int:
        if class_index is None:
            return int(np.argmax(self.logits[self._place(i)]))
        if not 0 <= class_index < len(self.class_names):
            raise InputError(
                f"class_index: there are classes 0 to {len(self.class_names) - 1}, got "
                f"{class_index}."
            )
        return class_index
