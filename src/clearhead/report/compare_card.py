"""Two models side by side, as the app shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from clearhead.debug.comparison.comparison import Comparison
from clearhead.report.schema import Estimate

__all__ = [
    "AccuracyRow",
    "ChangedRow",
    "CompareCard",
    "FindingRow",
    "MatchRow",
    "OnlyRow",
    "compare_card",
]

MOST_ROWS = 500
"""Rows of a table that travel: the strongest features, the first changed predictions."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccuracyRow(_Row):
    """Accuracy of both on the same test examples, and the paired difference b − a."""

    what: Literal["overall", "class", "slice"]
    name: str
    a: Estimate
    b: Estimate
    difference: float
    low: float
    high: float
    p_value: float = Field(description="McNemar's, corrected over classes and slices")
    sure: bool


class MatchRow(_Row):
    """A feature of a and its counterpart in b."""

    feature_a: int
    feature_b: int
    correlation: float
    identical: bool
    weights_a: list[tuple[str, float]] = Field(description="(class, weight)")
    weights_b: list[tuple[str, float]]
    name_a: str | None
    name_b: str | None


class OnlyRow(_Row):
    """A feature without a counterpart."""

    model: Literal["a", "b"]
    feature: int
    name: str | None
    weights: list[tuple[str, float]]
    nearest: int | None
    correlation: float


class ChangedRow(_Row):
    """A test example that the two decide differently."""

    id: str
    label: str
    before: str
    after: str
    outcome: Literal["mended", "broken", "other mistake"]


class FindingRow(_Row):
    """A finding that went, came or stayed."""

    status: Literal["went", "came", "stayed"]
    title: str
    before: bool | None = Field(description="confirmed in a; None: not found there")
    after: bool | None


class CompareCard(_Row):
    """Two models, a before b, on the examples they have in common."""

    name_a: str
    name_b: str
    n_common: int
    n_test: int
    min_correlation: float
    same_network: bool
    own: bool = Field(description="both are layers of this run")
    accuracies: list[AccuracyRow]
    matches: list[MatchRow]
    n_matches: int
    only: list[OnlyRow]
    n_only: dict[str, int]
    changed: list[ChangedRow]
    n_changed: dict[str, int] = Field(description="by outcome")
    findings: list[FindingRow]
    notes: list[str]


def compare_card(found: Comparison, *, own: bool) -> CompareCard:
    """Show a comparison; `own` where both are layers of one run."""
    outcomes = [one.outcome for one in found.changed]
    return CompareCard(
        name_a=found.name_a,
        name_b=found.name_b,
        n_common=found.n_common,
        n_test=found.n_test,
        min_correlation=found.min_correlation,
        same_network=found.same_network,
        own=own,
        accuracies=[
            AccuracyRow.model_validate(one, from_attributes=True) for one in found.accuracies
        ],
        matches=[
            MatchRow.model_validate(one, from_attributes=True) for one in found.matches[:MOST_ROWS]
        ],
        n_matches=len(found.matches),
        only=[
            OnlyRow.model_validate(one, from_attributes=True)
            for side in ("a", "b")
            for one in found.only_in(side)[:MOST_ROWS]
        ],
        n_only={"a": len(found.only_in("a")), "b": len(found.only_in("b"))},
        changed=[
            ChangedRow.model_validate(one, from_attributes=True)
            for one in found.changed[:MOST_ROWS]
        ],
        n_changed={kind: outcomes.count(kind) for kind in ("mended", "broken", "other mistake")},
        findings=[
            FindingRow(
                status=one.status,
                title=one.title,
                before=None if one.before is None else one.before.confirmed,
                after=None if one.after is None else one.after.confirmed,
            )
            for one in found.findings
        ],
        notes=list(found.notes),
    )
