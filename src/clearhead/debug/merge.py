"""One fault, one finding: what says the same of a class is told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.finding import Finding, FindingKind

__all__ = ["merge"]

ALIKE = 0.7
"""Cosine from which two patterns move the features the same way."""

_CARRIED: tuple[FindingKind, ...] = ("leaning", "hub", "blame")


def merge(findings: Sequence[Finding], shifts: Mapping[str, FloatArray]) -> list[Finding]:
    """Join ranked findings that are one fault, in place of the first of them.

    Patterns taken for the same class that move the features in use the same way are one
    shortcut; that the class leans on a feature which carries a shortcut is part of it. What a
    class is taken for, and that the sparse layer finds it less often, is one thing.
    Only what is confirmed is joined.

    Parameters
    ----------
    findings : sequence of Finding
        Ranked.
    shifts : mapping
        From :attr:`Finding.key` to the mean change (u,) of the standardised features in use.
    """
    kept: list[Finding] = []
    for finding in findings:
        at = next((i for i, first in enumerate(kept) if _same(first, finding, shifts)), None)
        if at is None:
            kept.append(finding)
        else:
            kept[at] = _join(kept[at], finding)
    return kept


def _same(first: Finding, other: Finding, shifts: Mapping[str, FloatArray]) -> bool:
    if not (first.confirmed and other.confirmed):
        return False
    if first.kind == "label_noise" and other.kind == "confusion":
        return set(first.classes) == set(other.classes)
    if {first.kind, other.kind} == {"confusion", "given_up"}:
        return first.classes[:1] == other.classes[:1]
    if first.key not in shifts:
        return False
    if other.key in shifts:
        return (
            first.classes == other.classes
            and _cosine(shifts[first.key], shifts[other.key]) >= ALIKE
        )
    return (
        other.kind in _CARRIED
        and set(other.features) <= set(first.features)
        and (set(first.classes) <= set(other.classes) or not other.classes)
    )


def _cosine(a: FloatArray, b: FloatArray) -> float:
    sizes = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(a @ b) / max(sizes, 1e-12)


def _join(first: Finding, other: Finding) -> Finding:
    if other.pattern is not None:
        said = f" Nearly the same is {other.pattern} ({100 * other.effect.value:.0f} points)."
    else:
        said = f" It goes with this: {other.title}."
    return replace(first, evidence=first.evidence + said)
