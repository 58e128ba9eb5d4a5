"""Could the layer do without a feature? Solve again without it, and see what takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import log_expit, log_softmax

from clearhead._plot import new_axes
from clearhead._types import FloatArray, IntArray
from clearhead.events import Event, EventCallback, emit
from clearhead.layer.again import LayerProblem
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.evaluate import right_rows
from clearhead.layer.shown import words_and_table

__all__ = ["Replacement", "Substitutes", "Substitution", "find_substitutes"]

NEGLIGIBLE = 0.005
"""Half a point: a feature whose absence costs no more validation accuracy has a substitute."""
MOST = 3


@dataclass(frozen=True)
class Replacement:
    """A feature that gained weight when another was banned.

    Parameters
    ----------
    feature : int
    correlation : float
        With the banned feature, on the training rows.
    before, after : float
        Sum of |weight| over the classes, with and without the banned feature.
    """

    feature: int
    correlation: float
    before: float
    after: float


@dataclass(frozen=True)
class Substitution:
    """What became of the layer when one feature was banned and the layer solved again.

    Parameters
    ----------
    feature : int
    share : float
        Its share of the layer's sum of |weight|.
    accuracy : float
        On validation, of the layer as it is.
    zeroed : float
        Accuracy with the feature's weights set to zero and nothing else changed.
    solved : float
        Accuracy of the optimum without the feature, at the same lam.
    lost, won : int
        Validation examples that only the layer as it is, or only the new one, gets right.
    loss_increase : float
        Of the mean validation loss, in nats.
    gap : float
        Relative duality gap of the new optimum.
    replacements : tuple of Replacement
        What gained most weight.
    """

    feature: int
    share: float
    accuracy: float
    zeroed: float
    solved: float
    lost: int
    won: int
    loss_increase: float
    gap: float
    replacements: tuple[Replacement, ...]

    @property
    def drop(self) -> float:
        """Validation accuracy lost though the layer was solved again."""
        return self.accuracy - self.solved

    @property
    def substitutable(self) -> bool:
        """Whether the layer does as well without the feature, to half a point."""
        return self.drop <= NEGLIGIBLE

    def describe(self) -> str:
        """Say in one sentence what the feature's absence costs."""
        text = (
            f"Feature {self.feature} ({self.share:.1%} of the weight): without it "
            f"{100 * (self.solved - self.accuracy):+.1f} points once solved again "
            f"({100 * (self.zeroed - self.accuracy):+.1f} if only set to zero)"
        )
        if self.replacements:
            first = self.replacements[0]
            new = "" if first.before else ", new to the layer"
            what = "takes its place" if self.substitutable else "gains most weight"
            text += f"; {first.feature} {what} (correlation {first.correlation:+.2f}{new})"
        return text + "."


@dataclass(frozen=True, eq=False)
class Substitutes:
    """Which features the layer could do without.

    Parameters
    ----------
    n_used : int
        Features in use.
    items : tuple of Substitution
        Those that were tried, largest share of the weight first.
    """

    n_used: int
    items: tuple[Substitution, ...]

    @property
    def n_tried(self) -> int:
        """Features that were banned, one at a time."""
        return len(self.items)

    @property
    def irreplaceable(self) -> list[Substitution]:
        """Those whose absence costs more than half a point, most costly first."""
        kept = [item for item in self.items if not item.substitutable]
        return sorted(kept, key=lambda item: -item.drop)

    def to_frame(self) -> pd.DataFrame:
        """One row a feature that was tried."""
        columns = ["feature", "share", "zeroed", "solved", "drop", "lost", "won", "loss_increase"]
        rows = [
            [
                *(getattr(item, name) for name in columns),
                ", ".join(str(r.feature) for r in item.replacements),
            ]
            for item in self.items
        ]
        return pd.DataFrame(rows, columns=[*columns, "replaced_by"])

    def plot(self, ax: Any = None) -> Any:
        """Draw the accuracy lost without each feature: set to zero, and solved again."""
        ax = new_axes() if ax is None else ax
        places = np.arange(self.n_tried)
        zeroed = [100 * (item.accuracy - item.zeroed) for item in self.items]
        ax.bar(places - 0.2, zeroed, width=0.4, label="set to zero")
        solved = [100 * item.drop for item in self.items]
        ax.bar(places + 0.2, solved, width=0.4, label="solved again")
        ax.set_xticks(places, [str(item.feature) for item in self.items], rotation=90)
        ax.set_xlabel("feature that was banned")
        ax.set_ylabel("validation accuracy lost (points)")
        ax.legend(frameon=False)
        return ax

    def describe(self, k: int = 3) -> list[str]:
        """Say in words how many features have substitutes, and which have none."""
        if not self.items:
            return ["No feature was left out to see what takes its place."]
        free = sum(item.substitutable for item in self.items)
        tried = f"{self.n_tried} of" if self.n_tried < self.n_used else "all"
        lines = [
            f"Of {tried} {self.n_used} features left out one at a time, the layer solved again "
            f"each time, {free} cost at most half a point of validation accuracy."
        ]
        shown = self.irreplaceable or sorted(self.items, key=lambda item: -item.drop)
        return lines + [item.describe() for item in shown[:k]]

    def _repr_html_(self) -> str:
        return words_and_table(self.describe(), self.to_frame())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"n_used": self.n_used, "items": [asdict(item) for item in self.items]}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        items = [
            Substitution(
                **{
                    **item,
                    "replacements": tuple(Replacement(**r) for r in item["replacements"]),
                }
            )
            for item in value["items"]
        ]
        return cls(int(value["n_used"]), tuple(items))


def find_substitutes(
    problem: LayerProblem,
    train: FloatArray,
    validation: tuple[FloatArray, IntArray],
    *,
    n_tried: int = 50,
    on_event: EventCallback | None = None,
) -> Substitutes:
    """Ban the features in use one at a time, and solve again without each.

    Parameters
    ----------
    problem : LayerProblem
        The layer, and what it is the optimum of.
    train : ndarray of shape (n, p)
        Raw training features, for correlations.
    validation : (features, labels)
        Rows on which layers are compared.
    n_tried : int
        At most so many features, those with the largest sum of |weight| first.
    on_event : callable, optional
        Receives the events of step ``"analyze"``.
    """
    layer, (X, y) = problem.layer, validation
    weight = np.abs(layer.weight).sum(axis=0)
    order = layer.used[np.argsort(-weight[layer.used], kind="stable")][:n_tried]
    right, loss = right_rows(y, layer.predict(X)), _mean_loss(layer, X, y)
    message = "without each feature"
    emit(on_event, Event("analyze", "start", message, 0, len(order), "features"))
    items = []
    for done, feature in enumerate(order.tolist(), start=1):
        solved = problem.without([feature])
        again = right_rows(y, solved.predict(X))
        item = Substitution(
            feature=feature,
            share=float(weight[feature] / weight.sum()),
            accuracy=float(right.mean()),
            zeroed=float(right_rows(y, layer.without([feature]).predict(X)).mean()),
            solved=float(again.mean()),
            lost=int((right & ~again).sum()),
            won=int((~right & again).sum()),
            loss_increase=_mean_loss(solved, X, y) - loss,
            gap=float(solved.certificate.gap or 0.0),
            replacements=_replacements(layer, solved, feature, train),
        )
        items.append(item)
        message = f"without {feature}: {100 * (item.solved - item.accuracy):+.1f} points"
        emit(on_event, Event("analyze", "progress", message, done, len(order), "features"))
    return Substitutes(len(layer.used), tuple(items))


def _replacements(
    layer: DecisionLayer, solved: DecisionLayer, banned: int, train: FloatArray
) -> tuple[Replacement, ...]:
    """Features that gained most weight, with what they have in common with the banned one."""
    before, after = np.abs(layer.weight).sum(axis=0), np.abs(solved.weight).sum(axis=0)
    gained = after - before
    strongest = np.argsort(-gained, kind="stable")[:MOST]
    strongest = strongest[gained[strongest] > 1e-3 * before[banned]]
    if not len(strongest):
        return ()
    z = layer.standardize(train, np.append(strongest, banned))
    r = np.atleast_2d(np.corrcoef(z, rowvar=False))[-1, :-1]
    return tuple(
        Replacement(int(j), float(value), float(before[j]), float(after[j]))
        for j, value in zip(strongest, r, strict=True)
    )


def _mean_loss(layer: DecisionLayer, X: FloatArray, y: IntArray) -> float:
    """Mean loss on labels, in nats, without penalty; summed over independent labels."""
    scores = layer.logits(X)
    if layer.multilabel:
        return float(-log_expit(np.where(y > 0, scores, -scores)).sum(axis=1).mean())
    return float(-log_softmax(scores, axis=1)[np.arange(len(y)), y].mean())
