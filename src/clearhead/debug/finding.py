"""What is suspicious, the evidence, the effect measured, and how sure we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from clearhead._files import fingerprint, known_fields

__all__ = ["WEIGHT", "Effect", "Finding", "FindingKind", "holm", "rank"]

FindingKind = Literal[
    "shortcut",
    "bias",
    "label_noise",
    "leak",
    "slice",
    "confusion",
    "leaning",
    "hub",
    "blame",
    "given_up",
]
SIGNIFICANCE = 0.05
WEIGHT: Mapping[FindingKind, float] = {
    "shortcut": 1.0,
    "bias": 1.0,
    "label_noise": 1.0,
    "leak": 0.5,
    "slice": 0.5,
    "confusion": 0.5,
    "leaning": 0.01,
    "hub": 0.01,
    "blame": 0.25,
    "given_up": 0.25,
}
"""How much an effect counts when findings are ranked.

What was changed in inputs or labels names a cause; a slice names where; what happens without a
feature says how the layer works, which may be as it should: that a class leans on one feature, or
many classes on the same, comes after all that does harm.
"""


@dataclass(frozen=True)
class Effect:
    """What was measured on the test split, with its 95% interval.

    ``value`` is a ``"share"`` of `n` examples, or a difference of shares in ``"points"``
    (0.12 is 12 points).
    """

    what: str
    value: float
    low: float
    high: float
    n: int
    unit: Literal["share", "points"] = "points"

    def __str__(self) -> str:
        unit = "%" if self.unit == "share" else " points"
        return (
            f"{self.what}: {100 * self.value:.1f}{unit}, 95% interval "
            f"{100 * self.low:.1f} to {100 * self.high:.1f}, n = {self.n}"
        )


@dataclass(frozen=True)
class Finding:
    """One thing that may be wrong with the model.

    Proposed on the validation split (`suspicion`, `evidence`), measured on the test
    split (`title`, `effect`, `p_value`). `title` states it as a fact; where it is not
    confirmed, :func:`rank` puts the suspicion in its place.

    `p_value` tests that the effect is above what chance gives; :func:`rank` corrects it
    for the number of findings that were proposed, and `confirmed` follows from it.

    `pattern` says in words what was put into inputs, where that is what was done; `link` is
    then how much more of its class's examples show it than of the others.
    """

    kind: FindingKind
    title: str
    suspicion: str
    where: str
    evidence: str
    effect: Effect
    p_value: float
    mend: str
    features: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()
    confirmed: bool = False
    pattern: str | None = None
    link: float = 1.0

    @property
    def key(self) -> str:
        """What stays the same when the finding is made again: kind, classes and where it is."""
        return f"{self.kind}-{fingerprint([self.kind, list(self.classes), self.where])[:10]}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        fields = known_fields(cls, value)
        fields["effect"] = Effect(**known_fields(Effect, fields["effect"]))
        for name in ("features", "classes", "examples"):
            fields[name] = tuple(fields[name])
        return cls(**fields)

    def __str__(self) -> str:
        mark = "confirmed" if self.confirmed else "not confirmed"
        return f"[{mark}] {self.title} ({self.effect})"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p><p>{escape(self.mend)}</p>"


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number, keeping the family-wise error.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(p.size, 0, -1)
    corrected = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    result = np.empty_like(p)
    result[order] = corrected
    return [float(value) for value in result]


def rank(findings: Sequence[Finding]) -> list[Finding]:
    """Correct the p values, mark what is confirmed, and put the largest sure effect first.

    Confirmed findings come first, ordered by what the effect is at least (the near end of
    its interval) times the :data:`WEIGHT` of their kind and the link to the data.
    """
    corrected = holm([finding.p_value for finding in findings])
    marked = [
        replace(finding, p_value=p, confirmed=True)
        if p <= SIGNIFICANCE
        else replace(finding, p_value=p, confirmed=False, title=finding.suspicion)
        for finding, p in zip(findings, corrected, strict=True)
    ]
    return sorted(marked, key=_place)


def _place(finding: Finding) -> tuple[bool, float, str]:
    low = finding.effect.low
    # Below zero a small weight must not make it look better.
    weighed = WEIGHT[finding.kind] * finding.link * low if low > 0 else low
    return not finding.confirmed, -weighed, finding.title
