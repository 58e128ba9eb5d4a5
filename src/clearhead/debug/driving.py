"""Features that carry a class most suspiciously, and which parts of its examples drive them.

The parts are those that LIME finds: words of texts, regions of pictures. What a run has explained
already is used; the rest is explained here, a few examples a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.debug.inputs import Inputs
from clearhead.errors import BackboneError
from clearhead.events import Event, emit
from clearhead.explain import LimeExplanation, explain_images, explain_texts

__all__ = ["Driven", "LimeEffort", "Suspect", "driven_parts", "find_suspects"]

PART = 3
"""A feature counts by what it gives to the third of a class where it fires most: a shortcut
need not be in all of its examples."""

SPLITS = ("train", "validation")
REGIONS = 30


@dataclass(frozen=True)
class LimeEffort:
    """How much is explained where a run has not explained it.

    Parameters
    ----------
    classes : int
        At most so many, those that rest most on one feature.
    features : int
        Of each class.
    examples : int
        Of each feature: those of the class where it fires most.
    perturbations : int
        Runs of the network for an example.
    """

    classes: int = 8
    features: int = 2
    examples: int = 3
    perturbations: int = 40


@dataclass(frozen=True)
class Suspect:
    """A feature that gives much of the evidence for a class.

    Parameters
    ----------
    target, feature : int
    sign : float
        1 where firing high speaks for the class, -1 where firing low does.
    share : float
        Of the class's evidence, in the third of its training examples where it gives most.
    rows : ndarray of int
        Training and validation examples of the class, those where it gives most first.
    """

    target: int
    feature: int
    sign: float
    share: float
    rows: IntArray


@dataclass(frozen=True, eq=False)
class Driven:
    """One example of a suspect and how far each of its parts drives the feature.

    Parameters
    ----------
    suspect : Suspect
    row : int
    lime : LimeExplanation
    weight : ndarray of shape (m,)
        Of the parts, towards the class: standard deviations of the feature.
    """

    suspect: Suspect
    row: int
    lime: LimeExplanation
    weight: FloatArray


def find_suspects(inputs: Inputs, effort: LimeEffort) -> list[Suspect]:
    """Features that carry classes, the most suspicious of all first."""
    layer = inputs.layer
    used = layer.used
    found: list[list[Suspect]] = []
    for c in range(layer.n_classes):
        rows = inputs.rows(*SPLITS, label=c, most=2000, salt=31)
        if len(rows) < PART or not used.size:
            continue
        z = layer.standardize(inputs.stored(rows), used)
        lead = layer.weight[c, used] - np.delete(layer.weight[:, used], c, axis=0).mean(axis=0)
        evidence = np.clip(z * lead, 0, None)
        part = np.sort(evidence, axis=0)[-(len(rows) // PART) :].mean(axis=0)
        share = part / max(float(part.sum()), 1e-12)
        best = np.argsort(-share, kind="stable")[: effort.features]
        found.append(
            [
                Suspect(
                    c,
                    int(used[j]),
                    float(np.sign(lead[j])),
                    float(share[j]),
                    rows[np.argsort(-evidence[:, j], kind="stable")],
                )
                for j in best
                if share[j] > 0
            ]
        )
    found = sorted((one for one in found if one), key=lambda one: -one[0].share)
    return [one for of_class in found[: effort.classes] for one in of_class]


def driven_parts(inputs: Inputs, suspects: Sequence[Suspect], effort: LimeEffort) -> list[Driven]:
    """Weigh the parts of a few examples of each suspect; none where LIME cannot be had."""
    wanted = [(one, _chosen(inputs, one, effort.examples)) for one in suspects]
    known = {} if inputs.lime is None else {one.id: one for one in inputs.lime}
    names = inputs.store.ids
    missing = sorted(
        {
            int(row)
            for one, rows in wanted
            for row in rows
            if not _explains(known.get(str(names[row])), one.feature)
        }
    )
    try:
        made = _explain(inputs, missing, sorted({one.feature for one in suspects}), effort)
    except BackboneError as error:
        message = f"regions and words that drive features were not tested: {error}"
        emit(inputs.on_event, Event("debug", "warning", message))
        return []
    found = []
    for one, rows in wanted:
        for row in rows:
            lime = made.get(int(row)) or known[str(names[row])]
            weight = one.sign * lime.weight[:, lime.column(one.feature)]
            found.append(Driven(one, int(row), lime, weight))
    return found


def _chosen(inputs: Inputs, one: Suspect, most: int) -> IntArray:
    """Of the examples where it gives most, those that are explained already come first."""
    top = one.rows[: 4 * most]
    if inputs.lime is None:
        return top[:most]
    there = set(inputs.lime.ids)
    known = np.array([str(inputs.store.ids[row]) in there for row in top], dtype=bool)
    return np.concatenate([top[known], top[~known]])[:most]


def _explains(lime: LimeExplanation | None, feature: int) -> bool:
    return lime is not None and feature in lime.features


def _explain(
    inputs: Inputs, rows: Sequence[int], features: Sequence[int], effort: LimeEffort
) -> dict[int, LimeExplanation]:
    if not rows:
        return {}
    pairs = [(str(inputs.store.ids[row]), inputs.example(row)) for row in rows]
    if inputs.modality == "text":
        made = explain_texts(
            inputs.backbone,
            inputs.layer,
            pairs,
            features=features,
            n_perturbations=effort.perturbations,
            seed=inputs.seed,
            batch_size=inputs.batch_size,
        )
    else:
        made = explain_images(
            inputs.backbone,
            inputs.layer,
            pairs,
            features=features,
            n_perturbations=effort.perturbations,
            n_regions=REGIONS,
            seed=inputs.seed,
            batch_size=inputs.batch_size,
        )
    return dict(zip(rows, made, strict=True))
