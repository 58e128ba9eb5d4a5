"""Edits of the layer itself: features at zero or scaled, a refit, a temperature."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError
from clearhead.layer.again import refit_layer
from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import LayerEdit, class_indices, feature_indices
from clearhead.layer.training import TrainingRows

__all__ = ["Calibrate", "Refit", "Scale", "Zero"]

_HOTTEST = 50.0
"""Temperatures are looked for between 1 / this and this."""


class _OfWeights(LayerEdit):
    """Multiplies weights; each says by what."""

    features: tuple[int, ...]
    classes: tuple[str, ...]

    @property
    @abstractmethod
    def times(self) -> float:
        """What the weights are multiplied by."""

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where it cannot be done to the layer."""
        feature_indices(self.features, layer)
        class_indices(self.classes, layer.class_names)
        if not math.isfinite(self.times):
            raise InputError(f"scale: the factor must be a finite number, got {self.times!r}.")

    def change(
        self,
        layer: DecisionLayer,
        train: TrainingRows,
        validation: tuple[FloatArray, IntArray],
    ) -> DecisionLayer:
        """Change the layer."""
        return layer.scaled(self.features, self.times, _rows(layer, self.classes))


@dataclass(frozen=True)
class Scale(_OfWeights):
    """Multiply the weights of features by a factor, for some classes or for all.

    With two classes a weight for the one is a weight against the other: it is scaled in both.

    Parameters
    ----------
    features : tuple of int
    factor : float
    classes : tuple of str
        All where it is empty.
    """

    action: ClassVar[str] = "scale"
    features: tuple[int, ...]
    factor: float
    classes: tuple[str, ...] = ()

    @property
    def times(self) -> float:
        """Its factor."""
        return self.factor

    def describe(self) -> str:
        """Say in words what is changed."""
        return f"weights of {_listed(self.features)} × {self.factor:g}{_for(self.classes)}"


@dataclass(frozen=True)
class Zero(_OfWeights):
    """Set the weights of features to zero, for some classes or for all, and nothing else.

    Parameters
    ----------
    features : tuple of int
    classes : tuple of str
        All where it is empty.
    """

    action: ClassVar[str] = "zero"
    features: tuple[int, ...]
    classes: tuple[str, ...] = ()

    @property
    def times(self) -> float:
        """Nothing is left."""
        return 0.0

    def describe(self) -> str:
        """Say in words what is changed."""
        return f"{_listed(self.features)} set to zero{_for(self.classes)}"


@dataclass(frozen=True)
class Refit(LayerEdit):
    """Refit every class's weights on the features that it uses, without the penalty's shrinkage."""

    action: ClassVar[str] = "refit"

    def describe(self) -> str:
        """Say in words what is changed."""
        return "weights refitted on the features in use, without the penalty"

    def check(self, layer: DecisionLayer) -> None:
        """Any layer can be refitted."""

    def change(
        self,
        layer: DecisionLayer,
        train: TrainingRows,
        validation: tuple[FloatArray, IntArray],
    ) -> DecisionLayer:
        """Change the layer."""
        kept = train.weight > 0
        return refit_layer(
            layer, train.features[kept], train.targets[kept], sample_weight=train.weight[kept]
        )


@dataclass(frozen=True)
class Calibrate(LayerEdit):
    """Divide all scores by one temperature, chosen on validation: the layer stays linear.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks. ICML.
    """

    action: ClassVar[str] = "calibrate"

    def describe(self) -> str:
        """Say in words what is changed."""
        return "temperature chosen on validation"

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError for independent labels."""
        if layer.multilabel:
            raise InputError("calibrate: a temperature is for a layer of classes, not of labels.")

    def change(
        self,
        layer: DecisionLayer,
        train: TrainingRows,
        validation: tuple[FloatArray, IntArray],
    ) -> DecisionLayer:
        """Change the layer."""
        temperature = best_temperature(layer.logits(validation[0]), validation[1])
        changed = layer.scaled(range(layer.weight.shape[1]), 1 / temperature, None)
        return replace(changed, bias=layer.bias / temperature)


def best_temperature(logits: FloatArray, labels: IntArray) -> float:
    """Temperature of the least mean log loss of scores (n, K)."""

    def loss(log_t: float) -> float:
        scores = log_softmax(logits / math.exp(log_t), axis=1)
        return float(-scores[np.arange(len(labels)), labels].mean())

    far = math.log(_HOTTEST)
    found = minimize_scalar(loss, bounds=(-far, far), method="bounded", options={"xatol": 1e-6})
    return math.exp(float(found.x))


def _rows(layer: DecisionLayer, classes: tuple[str, ...]) -> list[int] | None:
    if not classes or layer.certificate.family == "binomial":
        return None
    return class_indices(classes, layer.class_names)


def _listed(features: tuple[int, ...]) -> str:
    word = "feature" if len(features) == 1 else "features"
    shown = ", ".join(map(str, features[:8]))
    return f"{word} {shown}" + (f" and {len(features) - 8} more" if len(features) > 8 else "")


def _for(classes: tuple[str, ...]) -> str:
    return f" for {', '.join(classes)}" if classes else ""
