"""Near duplicates across splits, and what they do to accuracy."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clearhead.debug import Leaks, find_leaks
from clearhead.debug.neighbours import directions, nearest

from .planted import draw, fitted, plain_layer


def leaked(share: float, seed: int = 0) -> tuple[Leaks, int]:
    rng = np.random.default_rng(seed)
    parts = {"train": draw(rng, 500)}
    copies = 0
    for name in ("validation", "test"):
        X, y = draw(rng, 300)
        twins = rng.choice(500, size=int(share * 300), replace=False)
        X[: len(twins)] = parts["train"][0][twins] + rng.normal(scale=0.01, size=(len(twins), 12))
        y[: len(twins)] = parts["train"][1][twins]
        y[: len(twins) // 4] = (y[: len(twins) // 4] + 1) % 3
        parts[name] = (X, y)
        copies = len(twins)
    return find_leaks(*fitted(parts)), copies


def test_copies_are_found_with_their_twins_and_conflicts() -> None:
    leaks, copies = leaked(0.1)
    on_test = [pair for pair in leaks.pairs if pair.split == "test"]
    assert {pair.id for pair in on_test} == {f"test{i}" for i in range(copies)}
    assert len(leaks.conflicts) == 2 * (copies // 4)
    (finding,) = leaks.findings
    assert finding.kind == "leak"
    assert finding.effect.value == pytest.approx(copies / 300)
    assert finding.p_value < 1e-6
    assert leaks.leaked is not None
    assert leaks.leaked.n == copies


def test_unrelated_examples_are_no_duplicates() -> None:
    leaks, _ = leaked(0.0)
    assert leaks.pairs == leaks.findings == ()
    assert leaks.leaked is None
    assert Leaks.from_dict(leaks.to_dict()) == leaks


def test_leaks_survive_json() -> None:
    leaks, _ = leaked(0.05)
    assert Leaks.from_dict(json.loads(json.dumps(leaks.to_dict()))) == leaks
    assert list(leaks.to_frame()["id"]) == [pair.id for pair in leaks.pairs]
    assert "near duplicates" in leaks._repr_html_()


def test_nearest_is_the_slow_search_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    layer = plain_layer(rng.normal(size=(2, 6)))
    bank = directions(layer, rng.normal(size=(50, 6)))
    assert np.linalg.norm(bank, axis=1) == pytest.approx(1.0)
    queries, own = bank[:20], np.arange(20)
    slow = queries @ bank.T
    slow[own, own] = -np.inf
    order = np.argsort(-slow, axis=1)[:, :4]
    for block, chunk in ((1024, 16384), (7, 13), (1, 3)):
        monkeypatch.setattr("clearhead.debug.neighbours._BLOCK", block)
        monkeypatch.setattr("clearhead.debug.neighbours._CHUNK", chunk)
        rows, cosines = nearest(queries, bank, 4, own=own)
        assert rows.tolist() == order.tolist()
        assert cosines == pytest.approx(np.take_along_axis(slow, order, axis=1), abs=1e-6)
