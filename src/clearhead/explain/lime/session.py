"""One call of LIME: perturb, run the network, solve, keep what is finished."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from clearhead._files import fingerprint
from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.backbones import Backbone, Batch
from clearhead.errors import BackboneError, InputError
from clearhead.events import Event, EventCallback, EventKind, emit
from clearhead.explain.lime.cache import Cache
from clearhead.explain.lime.explanation import LimeExplanation, LimeExplanations
from clearhead.explain.lime.perturb import generator_for, is_exact, kept_parts, proximity
from clearhead.explain.parts import Parts
from clearhead.explain.ridge import weighted_ridge
from clearhead.features.lock import locked
from clearhead.layer import DecisionLayer

__all__ = ["STEP", "Options", "Session", "Source", "solve"]

STEP = "explain"


class Source(Protocol):
    """Where perturbed examples come from: words of texts, regions of pictures."""

    unit: str
    rows_at_once: int

    def describe(self) -> dict[str, Any]:
        """What the perturbed examples depend on."""

    def digest(self, example: Any) -> str:
        """Tell one example from another."""

    def open(self, example: Any) -> Any:
        """Cut the example into parts, the result's ``parts``."""

    def items(self, asked: Any) -> tuple[list[Any], IntArray, IntArray]:
        """Different perturbed examples, which of them each subset is, how long they are."""

    def batch(self, items: Any) -> Batch:
        """Make the network's input of some of them."""


@dataclass(frozen=True)
class Options:
    """What the explanations depend on beside network, layer and source; see explain_texts."""

    n_perturbations: int
    seed: int
    ridge: float
    kernel_width: float

    def check(self) -> None:
        """Refuse what makes no sense."""
        if self.n_perturbations < 2:
            raise InputError(
                f"n_perturbations={self.n_perturbations}: at least 2 are needed, the example and "
                "one without some part."
            )
        if self.seed < 0:
            raise InputError(f"seed={self.seed}: expected an integer of at least 0.")
        for name in ("ridge", "kernel_width"):
            value = getattr(self, name)
            if not (value > 0 and np.isfinite(value)):
                raise InputError(f"{name}={value}: expected a number above 0.")


class Session:
    """One call: its arguments, and how far it is."""

    def __init__(
        self,
        backbone: Backbone,
        layer: DecisionLayer,
        source: Source,
        options: Options,
        *,
        features: Sequence[int] | IntArray | None,
        on_event: EventCallback | None,
        batch_size: int | None,
    ) -> None:
        options.check()
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size={batch_size}: it must be at least 1.")
        self.backbone, self.layer, self.source, self.options = backbone, layer, source, options
        self.features = _features(layer, features, backbone)
        self.on_event = on_event
        self.batch_size = batch_size or backbone.batch_size
        self.total = self.done = self.evaluations = self.uncertain = 0

    def run(
        self, examples: Sequence[tuple[str, Any]], folder: Path | str | None
    ) -> LimeExplanations:
        """Explain (id, example) pairs; keep and find finished ones in `folder`."""
        where = None if folder is None else Path(folder)
        with contextlib.nullcontext() if where is None else locked(where):
            key = "" if where is None else self._key()
            cache = Cache(where, key, self.features, self.on_event)
            return self._explained(examples, cache)

    def _key(self) -> str:
        columns = self.features
        return fingerprint(
            {
                "backbone": self.backbone.fingerprints,
                "features": columns.tolist(),
                "center": self.layer.center[columns].tolist(),
                "scale": self.layer.scale[columns].tolist(),
                "dead": self.layer.dead[columns].tolist(),
                "source": self.source.describe(),
                "options": asdict(self.options),
            }
        )

    def _explained(self, examples: Sequence[tuple[str, Any]], cache: Cache) -> LimeExplanations:
        digests = {one: self.source.digest(example) for one, example in examples}
        missing = {one for one, digest in digests.items() if cache.get(one, digest) is None}
        self.total, self.done = len(examples), len(examples) - len(missing)
        again = f", {self.done:,} of them are there already" if self.done else ""
        self._say("start", f"LIME of {self.total:,} examples{again}")
        # The same groups whatever is there already: their batches, and so the last digits, are
        # then those of a call that was never interrupted.
        size = max(1, self.source.rows_at_once // self.options.n_perturbations)
        try:
            for first in range(0, len(examples), size):
                group = [pair for pair in examples[first : first + size] if pair[0] in missing]
                if group:
                    found = self._group(group)
                    cache.add({one.id: (digests[one.id], one) for one in found})
                    self.done += len(found)
                    self._progress()
        except BaseException:  # Ctrl-C, too: what is finished is kept
            cache.flush()
            raise
        ids = [one for one, _ in examples]
        cache.finish(ids)
        if self.uncertain:
            message = (
                f"{self.uncertain:,} examples have more than half as many {self.source.unit} as "
                "perturbations, so their weights are uncertain (see std_error): take more "
                "perturbations"
            )
            self._say("warning", message)
        self._say("end", f"{self.total:,} examples, {self.evaluations:,} runs of the network")
        explanations = [cache.get(one, digests[one]) for one in ids]
        return LimeExplanations(self.features, tuple(one for one in explanations if one))

    def _group(self, group: Sequence[tuple[str, Any]]) -> list[LimeExplanation]:
        """Explain some examples whose perturbations are computed together."""
        n, seed = self.options.n_perturbations, self.options.seed
        opened = [self.source.open(example) for _, example in group]
        kept = [
            kept_parts(len(one.parts), n, generator_for(seed, name))
            for one, (name, _) in zip(opened, group, strict=True)
        ]
        z = self._activations(list(zip(opened, kept, strict=True)), [name for name, _ in group])
        ends = np.cumsum([len(rows) for rows in kept])[:-1]
        found = []
        for (name, _), one, rows, own in zip(group, opened, kept, np.split(z, ends), strict=True):
            self.uncertain += not is_exact(len(one.parts), n) and 2 * len(one.parts) > len(rows)
            found.append(
                solve(name, one.parts, rows, own, features=self.features, options=self.options)
            )
        return found

    def _activations(self, asked: list[tuple[Any, BoolArray]], names: list[str]) -> FloatArray:
        """Standardised activations, one row a subset, of the features asked for."""
        items, inverse, lengths = self.source.items(asked)
        z = np.empty((len(items), len(self.features)))
        order = np.argsort(lengths, kind="stable")
        for first in range(0, len(items), self.batch_size):
            rows = order[first : first + self.batch_size]
            batch = self.source.batch([items[row] for row in rows])
            raw = self.backbone.features(batch).numpy()
            z[rows] = self.layer.standardize(raw, self.features)
            self.evaluations += len(rows)
            self._progress()
        if not np.isfinite(z).all():
            feature = self.features[np.flatnonzero(~np.isfinite(z).all(axis=0))[0]]
            raise BackboneError(
                f"{self.backbone.name} gives NaN or infinity for feature {feature} of a "
                f"perturbation of one of {', '.join(names[:3])}. Leave that feature out with "
                "features=, or look into the network."
            )
        found: FloatArray = z[inverse]
        return found

    def _progress(self) -> None:
        self._say("progress", f"{self.evaluations:,} runs of the network")

    def _say(self, kind: EventKind, message: str) -> None:
        data = {"evaluations": self.evaluations}
        emit(self.on_event, Event(STEP, kind, message, self.done, self.total, "examples", data))


def solve(
    example_id: str,
    parts: Parts,
    kept: BoolArray,
    z: FloatArray,
    *,
    features: IntArray,
    options: Options,
) -> LimeExplanation:
    """Fit the local linear models of one example.

    Parameters
    ----------
    kept : ndarray of shape (n, m), bool
        Which parts each perturbation keeps; the first keeps all.
    z : ndarray of shape (n, u)
        Standardised activations.
    """
    weight = proximity(kept, options.kernel_width)
    present = kept.astype(np.float64)
    m = kept.shape[1]
    spread = weight @ (present - weight @ present / weight.sum()) ** 2  # of each part
    ridge = max(options.ridge * float(spread.mean()), 1e-12) if m else 0.0
    fit = weighted_ridge(present, z, weight, ridge)
    # Of a text of which every subset was seen nothing is left unknown.
    exact = is_exact(m, options.n_perturbations)
    std_error = np.where(np.isinf(fit.std_error) & exact, 0.0, fit.std_error)
    arrays = {
        "weight": fit.coef,
        "std_error": std_error,
        "intercept": fit.intercept,
        "r2": fit.r2,
        "activation": z[0],
    }
    return LimeExplanation(
        id=example_id,
        features=features,
        parts=parts,
        **{name: value.astype(np.float32) for name, value in arrays.items()},
    )


def _features(
    layer: DecisionLayer, features: Sequence[int] | IntArray | None, backbone: Backbone
) -> IntArray:
    p = layer.weight.shape[1]
    if p != backbone.n_features:
        raise InputError(
            f"{backbone.name} has {backbone.n_features} deep features, the layer was fitted on "
            f"{p}. Take the network whose features it was fitted on."
        )
    if features is None:
        return layer.used
    chosen = np.asarray(features)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise InputError(f"features: expected indices, one axis of integers; got {features!r}.")
    chosen = chosen.astype(np.int64)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= p):
        raise InputError(
            f"features: {chosen[(chosen < 0) | (chosen >= p)][0]} is no feature: there are 0 … "
            f"{p - 1}."
        )
    if len(np.unique(chosen)) < len(chosen):
        raise InputError("features: an index is there more than once.")
    return chosen
