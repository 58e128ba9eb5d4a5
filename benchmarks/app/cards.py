"""What the bias and compare screens show, as large as it travels: the numbers mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearhead.report.bias_card import BiasCard, TermRow
from clearhead.report.compare_card import (
    MOST_ROWS,
    AccuracyRow,
    ChangedRow,
    CompareCard,
    FindingRow,
    MatchRow,
    OnlyRow,
)
from clearhead.report.schema import Estimate, ReportData

__all__ = ["bias_of", "compare_of"]

MOST_TERMS = 2_000
SHARE = Estimate(value=0.5, low=0.4, high=0.6, n=50)


def bias_of(report: ReportData, rng: np.random.Generator) -> BiasCard:
    """Terms of four groups, each for some of the classes."""
    features = [card.index for card in report.features]
    rows = []
    for i in range(MOST_TERMS):
        shift = float(rng.normal())
        moves = rng.choice(features, size=3, replace=False)
        row: dict[str, Any] = {
            "term": f"term {i // 4}",
            "group": f"group {i % 4}",
            "target": int(rng.integers(len(report.classes))),
            "shift": shift,
            "low": shift - 0.5,
            "high": shift + 0.5,
            "p_value": 0.01 if i < 100 else 0.5,
            "flips": float(rng.random()),
            "moves": [(int(j), shift / 3) for j in moves],
        }
        rows.append(TermRow.model_validate(row))
    return BiasCard(
        rows=rows,
        n_terms=MOST_TERMS // 4,
        templates=["{term} is here."],
        controls=["somebody"],
        control_flips=0.01,
    )


def compare_of(report: ReportData, rng: np.random.Generator) -> CompareCard:
    """The layer beside its own after an edit."""
    names = report.data.class_names
    features = [card.index for card in report.features]

    def weights() -> list[tuple[str, float]]:
        return [(names[c], float(rng.normal())) for c in rng.integers(len(names), size=20)]

    def accuracy(name: str) -> AccuracyRow:
        what = "overall" if name == "all" else "class"
        return AccuracyRow.model_validate(
            {"what": what, "name": name, "a": SHARE, "b": SHARE, "difference": 0.02}
            | {"low": -0.01, "high": 0.05, "p_value": float(rng.random()), "sure": False}
        )

    return CompareCard(
        name_a="chosen",
        name_b="edited",
        n_common=2_000,
        n_test=len(report.examples),
        min_correlation=0.5,
        same_network=True,
        own=True,
        accuracies=[accuracy(name) for name in ("all", *names)],
        matches=[
            MatchRow(
                feature_a=j,
                feature_b=j,
                correlation=1,
                identical=True,
                weights_a=weights(),
                weights_b=weights(),
                name_a=None,
                name_b=None,
            )
            for j in features[:MOST_ROWS]
        ],
        n_matches=len(features),
        only=[
            OnlyRow(
                model=side, feature=j, name=None, weights=weights(), nearest=None, correlation=0
            )
            for side in ("a", "b")
            for j in features[:40]
        ],
        n_only={"a": 40, "b": 40},
        changed=[
            ChangedRow(
                id=one.key,
                label=names[one.label],
                before=names[0],
                after=names[1],
                outcome="mended",
            )
            for one in report.examples[:MOST_ROWS]
        ],
        n_changed={"mended": MOST_ROWS, "broken": 0, "other mistake": 0},
        findings=[
            FindingRow(status="stayed", title=one.title, before=True, after=True)
            for one in report.findings
        ],
        notes=[],
    )
