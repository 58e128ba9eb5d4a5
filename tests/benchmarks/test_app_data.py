"""The data that the app's benchmark draws are such as a run gives."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.app.data import large_app

from clearhead.report import AppData
from clearhead.report.packed import unpack, unpack_columns


@pytest.fixture(scope="module")
def data() -> AppData:
    return large_app(K=20, p=64, used=4, n=60, most=12)


def test_every_point_is_of_distinct_weights_that_have_activations(data: AppData) -> None:
    along = data.along
    enter, leave = unpack(along.enter), unpack(along.leave)
    held: set[int] = set()
    entered = left = spent = 0
    counts = zip(unpack(along.enter_counts), unpack(along.leave_counts), strict=True)
    for n_enter, n_leave in counts:
        coming = set(enter[entered : entered + n_enter].tolist())
        going = set(leave[left : left + n_leave].tolist())
        assert len(coming) == n_enter
        assert not coming & held
        assert going <= held
        held = (held | coming) - going
        entered, left, spent = entered + n_enter, left + n_leave, spent + len(held)
        assert max(held) < 20 * 64
    assert (entered, left, spent) == (len(enter), len(leave), len(unpack(along.values)))
    assert len(along.points) == len(unpack(along.enter_counts))
    assert set(along.points) <= set(range(len(data.path.points)))
    z = unpack_columns(along.activations)
    assert z.shape == (len(along.keys), 64)
    np.testing.assert_array_equal(unpack(along.columns), np.arange(64))


def test_no_screen_is_empty(data: AppData) -> None:
    assert data.findings
    assert data.bias is not None
    assert data.bias.rows
    (card,) = data.compare
    assert len(card.accuracies) == 21
    assert card.matches
    assert card.only
    assert card.changed
    shown = {one.key for one in data.examples if one.text}
    assert {one.id for one in card.changed} <= shown
    assert any(split == "test" for split in data.along.splits)


def test_the_same_seed_gives_the_same_data(data: AppData) -> None:
    again = large_app(K=20, p=64, used=4, n=60, most=12)
    assert again == data
    assert large_app(K=20, p=64, used=4, n=60, most=12, seed=1) != data
