"""The intervals and tests against simulation and against scipy's own functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clearhead.debug.finding import Effect, Finding, holm, rank
from clearhead.debug.statistics import (
    fisher_less,
    mcnemar_greater,
    paired_difference,
    share_above,
    two_shares,
)
from clearhead.glm import Accuracy


@pytest.mark.parametrize(
    ("p_lost", "p_won", "n"), [(0.3, 0.05, 60), (0.1, 0.1, 100), (0.06, 0, 80)]
)
def test_paired_interval_covers_the_truth(p_lost: float, p_won: float, n: int) -> None:
    rng = np.random.default_rng(0)
    draws = rng.multinomial(n, [p_lost, p_won, 1 - p_lost - p_won], size=4000)
    covered = 0
    for lost, won, _ in draws:
        value, low, high = paired_difference(int(lost), int(won), n)
        assert low <= value <= high
        covered += low <= p_lost - p_won <= high
    assert 0.93 <= covered / len(draws) <= 0.995


@pytest.mark.parametrize(("p", "q", "n", "m"), [(0.8, 0.6, 40, 90), (0.95, 0.95, 30, 200)])
def test_two_shares_interval_covers_the_truth(p: float, q: float, n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    hits = zip(rng.binomial(n, p, 4000), rng.binomial(m, q, 4000), strict=True)
    covered = 0
    for a, b in hits:
        _, low, high = two_shares(Accuracy.of(int(a), n), Accuracy.of(int(b), m))
        covered += low <= p - q <= high
    assert 0.93 <= covered / 4000 <= 0.99


def test_two_shares_is_newcombes_example() -> None:
    # Newcombe (1998), table II, contrast (a): 56/70 against 48/80, method 10.
    value, low, high = two_shares(Accuracy.of(56, 70), Accuracy.of(48, 80))
    assert value == pytest.approx(0.2)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_p_values_are_scipys() -> None:
    assert mcnemar_greater(0, 0) == 1.0
    assert mcnemar_greater(5, 0) == pytest.approx(0.5**5)
    assert mcnemar_greater(0, 5) == pytest.approx(1.0)
    table = [[12, 8], [45, 5]]
    assert fisher_less(12, 20, 45, 50) == pytest.approx(
        stats.fisher_exact(table, alternative="less").pvalue
    )
    assert share_above(10, 100, 0.025) < 0.001 < share_above(3, 100, 0.025)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_slow_definition(p_values: list[float]) -> None:
    m = len(p_values)
    corrected = holm(p_values)
    for i, p in enumerate(p_values):
        before = [q for j, q in enumerate(p_values) if q < p or (q == p and j <= i)]
        ordered = sorted(before)
        expected = max(min(1.0, (m - k) * q) for k, q in enumerate(ordered))
        assert corrected[i] == pytest.approx(expected)
        assert corrected[i] >= p


def _finding(title: str, value: float, low: float, p: float) -> Finding:
    effect = Effect("accuracy lost", value, low, value + 0.1, 100)
    return Finding(
        "blame", title, f"maybe {title}", "here", "seen", effect, p, "mend it", (1,), (0,), ("a",)
    )


def test_confirmed_come_first_by_what_is_sure() -> None:
    ranked = rank(
        [
            _finding("large, unsure", 0.5, -0.1, 0.4),
            _finding("small, sure", 0.1, 0.05, 0.001),
            _finding("larger, sure", 0.3, 0.2, 0.002),
        ]
    )
    assert [f.title for f in ranked] == ["larger, sure", "small, sure", "maybe large, unsure"]
    assert [f.confirmed for f in ranked] == [True, True, False]
    assert ranked[1].p_value == pytest.approx(0.003)


def test_finding_survives_json() -> None:
    finding = rank([_finding("a <b>", 0.2, 0.1, 0.01)])[0]
    assert Finding.from_dict(finding.to_dict()) == finding
    assert "confirmed" in str(finding)
    assert "<b>" not in finding._repr_html_()
