"""One decision layer: what it weighs, what it predicts, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from clearhead._files import (
    checksum,
    fingerprint,
    known_fields,
    load_arrays,
    read_json,
    save_arrays,
    write_json,
)
from clearhead._plot import new_axes
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.errors import CorruptFileError, InputError, SchemaVersionError, StepMissingError

if TYPE_CHECKING:
    from torch import nn

    from clearhead.backbones import Backbone
    from clearhead.glm import Path

__all__ = ["Certificate", "DecisionLayer"]

LAYER_SCHEMA = 1


@dataclass(frozen=True)
class Certificate:
    """What is known of the path point that a layer was taken from.

    ``gap`` bounds how far the layer's penalised loss can be above the optimum,
    relative to it. An edited layer is no path point any more: ``status`` says so.
    """

    family: str
    lam: float
    l1_ratio: float
    gap: float | None
    kkt: float | None
    status: str

    def describe(self) -> str:
        """Say in a few words how sure we are."""
        return self.status if self.gap is None else f"{self.status}, gap {self.gap:.1e}"


@dataclass(frozen=True, eq=False)
class DecisionLayer:
    """A linear layer on standardised deep features.

    The score of class k for features x is ``bias[k] + weight[k] @ (x - center) / scale``.

    Parameters
    ----------
    weight : ndarray of shape (K, p), float64
        On the standardised scale. A binomial layer ``w`` is held as its two mirrored
        rows ``-w/2`` and ``+w/2``, which give the same probabilities under softmax.
        Of independent labels (family ``"multilabel"``) each row decides by itself.
    bias : ndarray of shape (K,), float64
    center, scale : ndarray of shape (p,), float64
        Mean and standard deviation of each feature on the training split.
    dead : ndarray of shape (p,), bool
        Features that are constant on the training split; their weight is 0.
    class_names : tuple of str
    certificate : Certificate
    """

    weight: FloatArray
    bias: FloatArray
    center: FloatArray
    scale: FloatArray
    dead: BoolArray
    class_names: tuple[str, ...]
    certificate: Certificate

    @classmethod
    def from_path(cls, path: Path, index: int) -> Self:
        """Take point `index` of a path of classes, or of independent labels.

        Raises
        ------
        InputError
            For a path of numbers: a decision layer tells classes apart.
        """
        if path.family not in ("binomial", "multinomial", "multilabel"):
            raise InputError(
                f"A decision layer tells classes apart, and this path is of the family "
                f"{path.family!r}. Use path.coef(i) and path.intercept(i) as they are, or fit "
                "with family='auto' on one class a row."
            )
        weight = np.asarray(path.coef(index), dtype=np.float64)
        bias = np.asarray(path.intercept(index), dtype=np.float64)
        if path.family == "binomial":
            weight = np.concatenate([-weight / 2, weight / 2])
            bias = np.concatenate([-bias / 2, bias / 2])
        index = range(len(path))[index]
        return cls(
            weight=weight,
            bias=bias,
            center=np.asarray(path.center, dtype=np.float64),
            scale=np.asarray(path.scale, dtype=np.float64),
            dead=np.asarray(path.dead, dtype=bool),
            class_names=tuple(path.class_names),
            certificate=Certificate(
                family=path.family,
                lam=float(path.lambdas[index]),
                l1_ratio=float(path.l1_ratio),
                # The unpenalised end of a path has no gap.
                gap=None if np.isnan(path.gaps[index]) else float(path.gaps[index]),
                kkt=float(path.kkt[index]),
                status=str(path.status[index]),
            ),
        )

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.weight.shape[0])

    @property
    def multilabel(self) -> bool:
        """Whether the K outputs are independent labels, any number of which may be true."""
        return self.certificate.family == "multilabel"

    @property
    def used(self) -> IntArray:
        """Indices of the features with a weight for at least one class, ascending."""
        used: IntArray = np.flatnonzero(np.any(self.weight != 0, axis=0))
        return used

    @property
    def n_nonzero(self) -> IntArray:
        """Features used by each class, shape (K,)."""
        counts: IntArray = np.count_nonzero(self.weight, axis=1)
        return counts

    @property
    def features_per_class(self) -> float:
        """Mean of :attr:`n_nonzero`."""
        return float(self.n_nonzero.mean())

    @property
    def fingerprint(self) -> str:
        """Fingerprint of all that the layer predicts from: what belongs to it says so by this."""
        arrays = (self.weight, self.bias, self.center, self.scale, self.dead)
        return fingerprint([*(checksum(a.tobytes()) for a in arrays), list(self.class_names)])

    def standardize(self, features: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Standardise raw features of shape (n, p); with `columns`, only those."""
        self._check_width(features)
        if columns is None:
            columns = np.arange(self.weight.shape[1])
        z = features[:, columns].astype(np.float64)
        z -= self.center[columns]
        z /= np.where(self.dead[columns], 1.0, self.scale[columns])
        z[:, self.dead[columns]] = 0.0
        return z

    def logits(self, features: FloatArray) -> FloatArray:
        """Score raw deep features of shape (n, p); returns (n, K)."""
        used = self.used
        scores: FloatArray = self.standardize(features, used) @ self.weight[:, used].T + self.bias
        return scores

    def probabilities(self, features: FloatArray) -> FloatArray:
        """Softmax of :meth:`logits`, shape (n, K); for independent labels each one's sigmoid."""
        return self.probabilities_of(self.logits(features))

    def probabilities_of(self, logits: FloatArray) -> FloatArray:
        """Probabilities (n, K) of scores (n, K)."""
        probabilities: FloatArray = expit(logits) if self.multilabel else softmax(logits, axis=1)
        return probabilities

    def predict(self, features: FloatArray) -> IntArray:
        """Index of the class with the highest score, shape (n,).

        For independent labels 0 or 1 for each, shape (n, K): 1 where the probability is above
        one half.
        """
        return self.decide(self.logits(features))

    def decide(self, logits: FloatArray) -> IntArray:
        """Decisions of scores (n, K): see :meth:`predict`."""
        if self.multilabel:
            return (logits > 0).astype(np.int64)
        predicted: IntArray = np.argmax(logits, axis=1)
        return predicted

    def top(self, class_index: int, k: int | None = None) -> IntArray:
        """Features of one class by |weight|, strongest first; zeros are left out."""
        weights = np.abs(self.weight[class_index])
        order: IntArray = np.argsort(-weights, kind="stable")
        order = order[weights[order] > 0]
        return order if k is None else order[:k]

    def without(self, features: Iterable[int]) -> Self:
        """Set the weights of `features` to zero, for every class."""
        weight = self.weight.copy()
        weight[:, list(features)] = 0.0
        return self._edited(weight)

    def scaled(
        self, features: Iterable[int], factor: float, classes: Sequence[int] | None = None
    ) -> Self:
        """Multiply the weights of `features` by a factor, for some classes or for all."""
        rows = range(self.n_classes) if classes is None else classes
        weight = self.weight.copy()
        weight[np.ix_(list(rows), list(features))] *= factor
        return self._edited(weight)

    def keep_top(self, k: int) -> Self:
        """Keep only the `k` strongest features of each class."""
        return self._edited(np.where(self._top_mask(k), self.weight, 0.0))

    def drop_top(self, k: int) -> Self:
        """Keep all but the `k` strongest features of each class."""
        return self._edited(np.where(self._top_mask(k), 0.0, self.weight))

    def attach(self, backbone: Backbone) -> nn.Module:
        """Put this layer into the network in place of its own decision layer.

        The standardisation is folded into the weights, so the module is the network
        with one ``nn.Linear`` exchanged; the layer's features are computed by the
        network itself.

        Returns
        -------
        nn.Module
            Takes what the network takes; its output has shape (n, K).
        """
        import torch
        from torch import nn

        if backbone.n_features != self.weight.shape[1]:
            raise InputError(
                f"layer.attach: {backbone.name} has {backbone.n_features} deep features, this "
                f"layer was fitted on {self.weight.shape[1]}. Attach it to the network whose "
                "features it was fitted on."
            )
        weight = self.weight / np.where(self.dead, 1.0, self.scale)
        bias = self.bias - weight @ self.center
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        return backbone.replace_head(linear)

    def save(self, folder: FilePath | str) -> None:
        """Write ``layer.safetensors`` and ``layer.json`` into `folder`."""
        folder = FilePath(folder)
        digest = save_arrays(
            folder / "layer.safetensors",
            {
                "weight": self.weight,
                "bias": self.bias,
                "center": self.center,
                "scale": self.scale,
                "dead": self.dead,
            },
        )
        meta = {
            "schema_version": LAYER_SCHEMA,
            "class_names": list(self.class_names),
            "certificate": vars(self.certificate),
            "files": {"layer.safetensors": digest},
        }
        write_json(folder / "layer.json", meta)

    @classmethod
    def load(cls, folder: FilePath | str) -> Self:
        """Read a layer that :meth:`save` wrote; checksums must match."""
        folder = FilePath(folder)
        if not (folder / "layer.json").exists():
            raise StepMissingError(f"There is no decision layer in {folder}: run select first.")
        meta = read_json(folder / "layer.json")
        version = meta.get("schema_version", 0)
        if version > LAYER_SCHEMA:
            raise SchemaVersionError(
                f"{folder / 'layer.json'} has schema version {version}; this clearhead reads up "
                f"to {LAYER_SCHEMA}. Upgrade clearhead to open it."
            )
        try:
            arrays = load_arrays(folder / "layer.safetensors", meta["files"]["layer.safetensors"])
            certificate = Certificate(**known_fields(Certificate, meta["certificate"]))
            names = tuple(meta["class_names"])
            return cls(**arrays, class_names=names, certificate=certificate)
        except (KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{folder / 'layer.json'} lacks {error}. Run select again (with --force)."
            ) from error

    def to_frame(self) -> pd.DataFrame:
        """One row for each weight that is not zero, strongest first within its class."""
        rows = [
            {"class": name, "feature": int(j), "weight": float(self.weight[k, j])}
            for k, name in enumerate(self.class_names)
            for j in self.top(k)
        ]
        return pd.DataFrame(rows, columns=["class", "feature", "weight"])

    def plot(self, class_index: int = 0, k: int = 10, ax: Any = None) -> Any:
        """Draw the `k` strongest features of a class as bars; return the Axes."""
        if ax is None:
            ax = new_axes()
        chosen = self.top(class_index, k)[::-1]
        values = self.weight[class_index, chosen]
        ax.barh([str(j) for j in chosen], values, color=np.where(values > 0, "C0", "C3"))
        ax.set_xlabel("weight (standardised scale)")
        ax.set_ylabel("feature")
        ax.set_title(self.class_names[class_index])
        return ax

    def __repr__(self) -> str:
        c = self.certificate
        return (
            f"DecisionLayer({self.n_classes} classes, {self.features_per_class:.1f} of "
            f"{self.weight.shape[1]} features a class, lam={c.lam:.4g}, {c.describe()})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        head = f"<p>{escape(repr(self))}</p>"
        frame = self.to_frame().groupby("class", sort=False).head(10)
        return head + str(frame.to_html(index=False, float_format="{:+.3f}".format))

    def _edited(self, weight: FloatArray) -> Self:
        certificate = replace(self.certificate, status="edited", gap=None, kkt=None)
        return replace(self, weight=weight, certificate=certificate)

    def _top_mask(self, k: int) -> BoolArray:
        mask = np.zeros(self.weight.shape, dtype=bool)
        for row in range(self.n_classes):
            mask[row, self.top(row, k)] = True
        return mask

    def _check_width(self, features: FloatArray) -> None:
        if features.ndim != 2 or features.shape[1] != self.weight.shape[1]:
            raise InputError(
                f"features: expected shape (n, {self.weight.shape[1]}), got {features.shape}. "
                "Pass the deep features that the layer was fitted on, one row an example."
            )
