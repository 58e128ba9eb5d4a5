"""Are there examples in validation or test that the layer has nearly seen in training?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._types import FloatArray
from clearhead.debug.finding import Effect, Finding
from clearhead.debug.neighbours import directions, nearest
from clearhead.debug.statistics import share_above
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView
from clearhead.glm import Accuracy
from clearhead.layer import share_of

__all__ = ["Duplicate", "Leaks", "find_leaks"]

NEAR = 0.15
"""Two examples are duplicates at this part of the distance between two random ones: the nearest
of unrelated examples are at half of it or more, paraphrases and reposts between."""
PAIRS = 2000
MIN_SHARE = 0.03
"""Fewer repetitions do not move an accuracy by a point."""
TOLERATED = 0.01


@dataclass(frozen=True)
class Duplicate:
    """A held-out example and the training example it nearly repeats.

    Parameters
    ----------
    split : {"validation", "test"}
    id, train_id : str
    label, train_label : int
    distance : float
        Part of the distance between two random examples.
    """

    split: str
    id: str
    train_id: str
    label: int
    train_label: int
    distance: float


@dataclass(frozen=True)
class Leaks:
    """What validation and test share with training.

    Parameters
    ----------
    pairs : tuple of Duplicate
        Nearest first.
    threshold : float
        Distance up to which two examples are duplicates.
    leaked, clean : Accuracy or None
        On test examples that repeat a training example, and on the others; None without any.
    findings : tuple of Finding
    """

    pairs: tuple[Duplicate, ...]
    threshold: float
    leaked: Accuracy | None
    clean: Accuracy | None
    findings: tuple[Finding, ...]

    @property
    def conflicts(self) -> tuple[Duplicate, ...]:
        """Duplicates with different labels: one of the two is wrong."""
        return tuple(pair for pair in self.pairs if pair.label != pair.train_label)

    def to_frame(self) -> pd.DataFrame:
        """One row for each pair."""
        columns = ["split", "id", "train_id", "label", "train_label", "distance"]
        return pd.DataFrame([asdict(pair) for pair in self.pairs], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        value = asdict(self)
        value["findings"] = [finding.to_dict() for finding in self.findings]
        return value

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            tuple(Duplicate(**pair) for pair in value["pairs"]),
            float(value["threshold"]),
            None if value["leaked"] is None else Accuracy(**value["leaked"]),
            None if value["clean"] is None else Accuracy(**value["clean"]),
            tuple(Finding.from_dict(finding) for finding in value["findings"]),
        )

    def __repr__(self) -> str:
        return f"Leaks({len(self.pairs)} near duplicates, {len(self.conflicts)} with other labels)"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>" + str(self.to_frame().head(20).to_html(index=False))


def find_leaks(train: TrainView, validation: SplitView, test: SplitView, *, seed: int = 0) -> Leaks:
    """Look for held-out examples that nearly repeat a training example.

    Each is compared with all training rows by the angle between all their standardised deep
    features, exactly and block by block.

    Parameters
    ----------
    train : TrainView
    validation, test : SplitView
    seed : int
        Of the random pairs that say how far apart unrelated examples are.

    Returns
    -------
    Leaks
        With at most one finding: proposed where 3% of validation repeat training examples.
    """
    bank = directions(train.layer, train.features)
    usual = _usual(bank, seed)
    found = {
        name: _duplicates(name, view, train, bank, usual)
        for name, view in (("validation", validation), ("test", test))
    }
    leaked = np.isin(test.ids.astype(str), [pair.id for pair in found["test"]])
    accuracies = share_of(test.right[leaked]), share_of(test.right[~leaked])
    pairs = sorted(found["validation"] + found["test"], key=lambda pair: (pair.distance, pair.id))
    findings = _findings(found, validation.n, test, accuracies[0], accuracies[1])
    return Leaks(tuple(pairs), NEAR, accuracies[0], accuracies[1], tuple(findings))


def _usual(bank: FloatArray, seed: int) -> float:
    """Middle distance of two random training rows."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(len(bank), size=(2, PAIRS))
    apart = first != second
    cosines = np.einsum("ij,ij->i", bank[first[apart]], bank[second[apart]])
    return float(np.median(_distance(cosines))) if cosines.size else 1.0


def _distance(cosines: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.maximum(2.0 - 2.0 * cosines.astype(np.float64), 0.0)))


def _duplicates(
    name: str, view: SplitView, train: TrainView, bank: FloatArray, usual: float
) -> list[Duplicate]:
    rows, cosines = nearest(directions(view.layer, view.features), bank, 1)
    distance = _distance(cosines[:, 0]) / usual
    return [
        Duplicate(
            split=name,
            id=str(view.ids[i]),
            train_id=str(train.ids[rows[i, 0]]),
            label=int(view.labels[i]),
            train_label=int(train.labels[rows[i, 0]]),
            distance=float(distance[i]),
        )
        for i in np.flatnonzero(distance <= NEAR)
    ]


def _findings(
    found: Mapping[str, list[Duplicate]],
    n_validation: int,
    test: SplitView,
    leaked: Accuracy | None,
    clean: Accuracy | None,
) -> Iterator[Finding]:
    seen, pairs = found["validation"], found["test"]
    if not n_validation or len(seen) < MIN_SHARE * n_validation or not test.n:
        return
    share = Accuracy.of(len(pairs), test.n)
    conflicts = sum(pair.label != pair.train_label for pair in pairs)
    yield Finding(
        kind="leak",
        title=(
            f"{len(pairs)} of {test.n} test examples nearly repeat training examples: accuracy "
            f"{_said(leaked)} on them, {_said(clean)} on the others"
        ),
        suspicion="test examples may repeat training examples",
        where="training and test",
        evidence=(
            f"{len(seen)} of {n_validation} validation examples have a training example within "
            f"{100 * NEAR:.0f}% of the distance of two random ones. Of the test examples' twins "
            f"{conflicts} carry another label."
        ),
        effect=Effect(
            "test examples that nearly repeat a training example",
            share.value,
            share.low,
            share.high,
            test.n,
            "share",
        ),
        p_value=share_above(len(pairs), test.n, TOLERATED),
        mend=(
            "Keep each of these with its twin in one split, and measure accuracy without them: "
            f"{_said(clean)}."
        ),
        examples=tuple(pair.id for pair in pairs[:8]),
    )


def _said(accuracy: Accuracy | None) -> str:
    return "none" if accuracy is None else f"{accuracy.value:.2f}"
