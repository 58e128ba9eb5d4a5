"""The smallest sets against going through all, and what the groups count."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.debug import Errors, SplitView, explain_errors, margin_parts, share_mended_by_one
from clearhead.debug.mistakes.mending import mend_by_one
from clearhead.errors import InputError

from .planted import plain_layer, random_view, view_of


def mends(view: SplitView, row: int, columns: tuple[int, ...]) -> bool:
    z = view.z[row].copy()
    z[list(columns)] = 0.0
    return int(np.argmax(view.weight @ z + view.layer.bias)) == view.labels[row]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 5), u=st.integers(1, 7))
def test_one_and_two_features_are_exact(seed: int, k: int, u: int) -> None:
    view = random_view(seed, n=25, k=k, u=u)
    errors = explain_errors(view)
    rows = np.flatnonzero(~view.right)
    assert len(errors.mistakes) == len(rows)
    for row, mistake in zip(rows, errors.mistakes, strict=True):
        ones = {(j,) for j in range(u) if mends(view, row, (j,))}
        twos = [pair for pair in itertools.combinations(range(u), 2) if mends(view, row, pair)]
        assert {(j,) for j in mistake.alone} == ones
        if ones:
            assert len(mistake.features) == 1
        elif twos:
            assert mistake.features in twos
        else:
            assert len(mistake.features) != 1
            assert len(mistake.features) != 2
        if mistake.features:
            assert mends(view, row, mistake.features)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    view = random_view(3)
    rows = np.flatnonzero(~view.right)
    whole = mend_by_one(view, rows)
    monkeypatch.setattr("clearhead.debug.mistakes.mending._CELLS", 1)
    for one, other in zip(whole, mend_by_one(view, rows), strict=True):
        assert one.tolist() == other.tolist()


def test_groups_count_what_removal_does_to_the_split() -> None:
    view = random_view(5, n=200)
    errors = explain_errors(view)
    for group in errors.groups:
        off = view.predicted_without(group.feature)
        now = off == view.labels
        pair = (view.labels == group.true) & (view.predicted == group.predicted)
        assert group.mended == (now & pair).sum()
        assert group.mended_overall == (now & ~view.right).sum()
        assert group.broken == (~now & view.right).sum()
        named = [m for m in errors.mistakes if group.feature in m.features]
        assert group.mistakes == sum(
            (m.true, m.predicted) == (group.true, group.predicted) for m in named
        )
    assert list(errors.to_frame()["net"]) == [group.net for group in errors.groups]
    assert errors.mended_by(1) == share_mended_by_one(view)


def test_margin_parts_add_up_to_the_margin() -> None:
    view = random_view(8)
    for row in (int(np.flatnonzero(view.right)[0]), int(np.flatnonzero(~view.right)[0])):
        y = view.labels[row]
        other = view.rival[row]
        expected = view.logits[row, y] - view.logits[row, other]
        assert margin_parts(view, row)["part"].sum() == pytest.approx(expected)
    with pytest.raises(InputError, match="row: expected 0 to 59"):
        margin_parts(view, 60)


def test_no_mistakes_and_no_features_are_said_so() -> None:
    weight = np.eye(3)
    X = np.repeat(5.0 * np.eye(3), 4, axis=0)
    right = explain_errors(view_of(plain_layer(weight), X, np.repeat(np.arange(3), 4)))
    assert right.mistakes == ()
    assert right.mended_by(1) is None
    assert right.describe() == ["There are no mistakes among 12 examples."]
    assert right.to_frame().empty
    empty = explain_errors(view_of(plain_layer(0 * weight), X, np.repeat([0, 1], 6)))
    assert {m.features for m in empty.mistakes} == {()}


def test_errors_survive_json() -> None:
    errors = explain_errors(random_view(2, n=30))
    assert Errors.from_dict(json.loads(json.dumps(errors.to_dict()))) == errors
    assert errors.describe()[0].split(";")[0] in errors._repr_html_()
    assert "mistakes of 30" in repr(errors)
