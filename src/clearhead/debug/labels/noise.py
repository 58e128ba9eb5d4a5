"""Which labels are wrong, beyond what the confusion of similar classes explains?

Training rows are scored by layers that were not fitted to them. For each pair of classes that are
confused, :mod:`clearhead.debug.labels.lapse` tells how much of the confusion does not fade with
depth: that much is wrong labels. A pair is a finding where validation and training say so clearly
and the test split, whose labels are wrong alike but were never fitted, shows the same floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from clearhead._types import FloatArray, IntArray
from clearhead.debug.finding import Finding
from clearhead.debug.labels.lapse import Lapses, fit_lapses
from clearhead.debug.labels.noisy_pair import SUSPECT, NoisyPair, confirm_pair, depth
from clearhead.debug.neighbours import directions, nearest
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView

__all__ = ["LabelNoise", "Suspect", "find_label_noise"]

MIN_CROSSED = 8
"""Fewer examples that look like the other class tell no floor from chance."""
MIN_RATE = 0.12
"""Largest rate that is still called confusion: classes of real data reach .08 with p below 1e-4,
as no model is logistic to its end."""
MAX_P = 1e-3
"""Of the likelihood ratio; how many pairs were looked at is corrected for on test."""
NEIGHBOURS = 10
MOST = 3


@dataclass(frozen=True)
class Suspect:
    """One example whose label is probably wrong.

    Parameters
    ----------
    id : str
    split : {"train", "validation"}
    given, likely : int
        The label it has, and the one it looks like.
    sure : float
        Probability that the label is wrong, given how its class is confused and mislabelled.
    neighbours : float
        Share of the 10 nearest training examples that carry the likely label.
    """

    id: str
    split: str
    given: int
    likely: int
    sure: float
    neighbours: float


@dataclass(frozen=True)
class LabelNoise:
    """What the labels look like.

    Parameters
    ----------
    class_names : tuple of str
    pairs : tuple of NoisyPair
        Ordered pairs of classes with a floor, the surest first; `sure` marks the findings.
    suspects : tuple of Suspect
        Of the training and validation rows, the surest first.
    findings : tuple of Finding
    """

    class_names: tuple[str, ...]
    pairs: tuple[NoisyPair, ...]
    suspects: tuple[Suspect, ...]
    findings: tuple[Finding, ...]

    def suspects_of(self, finding: Finding) -> list[Suspect]:
        """Those that a finding is about: what its mend drops or gives the likely label."""
        given, likely = finding.classes
        return [one for one in self.suspects if (one.given, one.likely) == (given, likely)]

    def to_frame(self) -> pd.DataFrame:
        """One row for each suspect, with the names of its classes."""
        frame = pd.DataFrame(
            [asdict(one) for one in self.suspects],
            columns=["id", "split", "given", "likely", "sure", "neighbours"],
        )
        for column in ("given", "likely"):
            frame[column] = [self.class_names[int(c)] for c in frame[column]]
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_names": list(self.class_names),
            "pairs": [asdict(pair) for pair in self.pairs],
            "suspects": [asdict(one) for one in self.suspects],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            tuple(value["class_names"]),
            tuple(NoisyPair(**pair) for pair in value["pairs"]),
            tuple(Suspect(**one) for one in value["suspects"]),
            tuple(Finding.from_dict(finding) for finding in value["findings"]),
        )

    def __repr__(self) -> str:
        sure = sum(pair.sure for pair in self.pairs)
        return f"LabelNoise({len(self.suspects)} suspects, {sure} pairs of classes with noise)"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>" + str(self.to_frame().head(20).to_html(index=False))


def find_label_noise(
    train: TrainView,
    validation: SplitView,
    test: SplitView,
    *,
    k: int = 5,
    seed: int = 0,
) -> LabelNoise:
    """Look for classes whose examples carry another class's label.

    Parameters
    ----------
    train : TrainView
    validation, test : SplitView
        Of the same layer. Validation rows are looked at together with those of training.
    k, seed : int
        Folds, and how they are drawn.

    Returns
    -------
    LabelNoise
        At most three findings.

    References
    ----------
    Northcutt, Jiang, Chuang (2021), Confident learning: noise is estimated from predictions
    out of fold, by pairs of classes. Rates here are the floors of
    :mod:`clearhead.debug.labels.lapse` instead of counts above a threshold, which count
    ordinary confusion too.
    """
    if not train.layer.used.size:  # it says the same of every example
        return LabelNoise(train.layer.class_names, (), (), ())
    logits = np.vstack([train.out_of_fold(k, seed), validation.logits])
    labels = np.concatenate([train.labels, validation.labels])
    fitted = _fit_pairs(logits, labels)
    likely, sure = _judge(fitted, logits, labels)
    found: list[NoisyPair] = []
    findings: list[Finding] = []
    for (true, given), lapses in fitted:
        rows = np.flatnonzero((labels == given) & (likely == true) & (sure > SUSPECT))
        enough = lapses.floor >= MIN_RATE and lapses.p_value <= MAX_P
        pair = NoisyPair.of((true, given), lapses, logits, labels, n_suspects=len(rows))
        finding = None
        if enough and len(rows) and len(findings) < MOST:
            finding = confirm_pair(pair, lapses, train, test, rows[rows < train.n])
        if finding is not None:
            findings.append(finding)
        found.append(replace(pair, sure=finding is not None))
    rows = np.flatnonzero(sure > SUSPECT)
    rows = rows[np.lexsort((rows, -sure[rows]))]
    agreed = _agreement(train, validation, rows, likely[rows])
    ids = np.concatenate([train.ids, validation.ids])
    suspects = tuple(
        Suspect(
            id=str(ids[row]),
            split="train" if row < train.n else "validation",
            given=int(labels[row]),
            likely=int(likely[row]),
            sure=float(sure[row]),
            neighbours=float(share),
        )
        for row, share in zip(rows, agreed, strict=True)
    )
    return LabelNoise(train.layer.class_names, tuple(found), suspects, tuple(findings))


def _fit_pairs(logits: FloatArray, labels: IntArray) -> list[tuple[tuple[int, int], Lapses]]:
    """Fit each pair (true, given) of which enough examples cross over, the surest first."""
    n_classes = logits.shape[1]
    others = logits.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    rival = others.argmax(axis=1)
    crossed = others.max(axis=1) > logits[np.arange(len(labels)), labels]
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (rival[crossed], labels[crossed]), 1)
    fitted = []
    for true, given in np.argwhere(counts >= MIN_CROSSED).tolist():
        pair = (true, given)
        rows, d = depth(logits, labels, pair)
        lapses = fit_lapses(d, labels[rows] == given)
        if lapses.floor > 0:
            fitted.append((pair, lapses))
    return sorted(fitted, key=lambda one: (one[1].p_value, one[0]))


def _judge(
    fitted: list[tuple[tuple[int, int], Lapses]], logits: FloatArray, labels: IntArray
) -> tuple[IntArray, FloatArray]:
    """Give each row its most likely other label (n,), and how likely its own is wrong (n,)."""
    likely, sure = labels.copy(), np.zeros(len(labels))
    for pair, lapses in fitted:
        rows, d = depth(logits, labels, pair)
        given = labels[rows] == pair[1]
        rows, wrong = rows[given], lapses.wrong(d[given])
        more = wrong > sure[rows]
        likely[rows[more]], sure[rows[more]] = pair[0], wrong[more]
    return likely, sure


def _agreement(
    train: TrainView, validation: SplitView, rows: IntArray, likely: IntArray
) -> FloatArray:
    """Share of each row's nearest training rows that carry the likely label."""
    if not rows.size:
        return np.zeros(0)
    inside = rows < train.n
    features = np.empty((len(rows), train.features.shape[1]), dtype=np.float32)
    features[inside] = train.features[rows[inside]]
    features[~inside] = validation.features[rows[~inside] - train.n]
    bank = directions(train.layer, train.features)
    # A row beyond the bank is no row of it, so nothing is left out for a validation row.
    found, _ = nearest(directions(train.layer, features), bank, NEIGHBOURS, own=rows)
    share: FloatArray = (train.labels[found] == likely[:, None]).mean(axis=1)
    return share
