"""Edits of a layer: what they change, what they prove, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearhead.errors import InputError
from clearhead.glm import fit_path
from clearhead.layer import (
    Ban,
    Calibrate,
    Counterexamples,
    DecisionLayer,
    Edit,
    Refit,
    Relabel,
    Reweight,
    Scale,
    TrainingRows,
    Unlink,
    Zero,
    apply_edits,
    edit_from_dict,
    expected_calibration_error,
    log_losses,
)
from clearhead.layer.shift_map import ShiftMap

N, P, K = 500, 12, 3
NAMES = ("ant", "bee", "cat")
LAM = 0.02


def sample(seed: int, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, P)).astype(np.float32)
    return X, (2 * X[:, :K] + rng.gumbel(size=(n, K))).argmax(axis=1)


def select(X: np.ndarray, y: np.ndarray, **options: Any) -> DecisionLayer:
    return DecisionLayer.from_path(fit_path(X, y, lambdas=[LAM], class_names=NAMES, **options), 0)


def training(X: np.ndarray, y: np.ndarray, **columns: Any) -> TrainingRows:
    ids = np.array([f"x{i}" for i in range(len(y))], dtype=object)
    metadata = pd.DataFrame(columns, index=range(len(y)))
    return TrainingRows(X, y, np.ones(len(y)), ids, metadata, np.ones((K, P), dtype=bool))


@pytest.fixture(scope="module")
def split() -> tuple[np.ndarray, np.ndarray]:
    return sample(0)


@pytest.fixture(scope="module")
def held() -> tuple[np.ndarray, np.ndarray]:
    return sample(1)


@pytest.fixture(scope="module")
def layer(split: Any) -> DecisionLayer:
    return select(*split)


def edited(layer: DecisionLayer, rows: TrainingRows, held: Any, *edits: Edit) -> DecisionLayer:
    return apply_edits(layer, edits, rows, held).layer


def test_a_ban_gives_the_optimum_without_the_feature(layer: Any, split: Any, held: Any) -> None:
    found = edited(layer, training(*split), held, Ban((0,)))
    factors = np.ones(P)
    factors[0] = np.inf
    again = select(*split, penalty_factor=factors)
    assert found.certificate.status == "optimal"
    np.testing.assert_allclose(found.weight, again.weight, atol=2e-3)
    assert not found.weight[:, 0].any()


def test_a_ban_for_one_class_is_optimal_among_layers_that_keep_it(
    layer: Any, split: Any, held: Any
) -> None:
    """No layer without that one weight has a lower objective: not the zeroed, not neighbours."""
    X, y = split
    found = edited(layer, training(X, y), held, Ban((0, 1), ("ant",)))
    assert not found.weight[0, :2].any()
    assert found.weight[1, 1]
    assert found.certificate.gap is not None
    assert found.certificate.gap <= 1e-4

    def objective(weight: np.ndarray, bias: np.ndarray) -> float:
        scores = found.standardize(X) @ weight.T + bias
        loss = np.log(np.exp(scores - scores[np.arange(N), y][:, None]).sum(axis=1)).mean()
        penalty = 0.99 * np.abs(weight).sum() + 0.005 * (weight**2).sum()
        return float(loss + LAM * penalty)

    best = objective(found.weight, found.bias)
    zeroed = layer.scaled((0, 1), 0.0, (0,))
    assert best < objective(zeroed.weight, zeroed.bias)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2, 0.1):
        for _ in range(30):
            step = size * rng.standard_normal(found.weight.shape)
            step[0, :2] = 0
            step[(found.weight == 0) & (rng.random(step.shape) < 0.8)] = 0
            assert objective(found.weight + step, found.bias) >= best - 1e-4 * best


def test_a_zero_stays_when_the_layer_is_solved_again_later(
    layer: Any, split: Any, held: Any
) -> None:
    first = edited(layer, training(*split), held, Zero((1,), ("bee",)), Ban((0,)))
    second = edited(layer, training(*split), held, Ban((0,)), Zero((1,), ("bee",)))
    np.testing.assert_array_equal(first.weight, second.weight)
    assert first.weight[1, 1] == 0
    assert not first.weight[:, 0].any()
    assert first.certificate.status == "edited"


def test_scaling_changes_only_what_was_named(layer: Any, split: Any, held: Any) -> None:
    found = edited(layer, training(*split), held, Scale((1,), 0.5, ("bee",)))
    assert found.weight[1, 1] == layer.weight[1, 1] / 2
    found.weight[1, 1] = layer.weight[1, 1]
    np.testing.assert_array_equal(found.weight, layer.weight)


def test_of_two_classes_both_are_scaled() -> None:
    X, y = sample(3)
    two = np.minimum(y, 1)
    path = fit_path(X, two, lambdas=[LAM], class_names=NAMES[:2])
    layer = DecisionLayer.from_path(path, 0)
    rows = replace(training(X, two), allowed=np.ones((2, P), dtype=bool))
    found = apply_edits(layer, [Zero((0,), ("ant",))], rows, (X, two)).layer
    assert not found.weight[:, 0].any()
    banned = apply_edits(layer, [Ban((0,), ("ant",))], rows, (X, two)).layer
    assert not banned.weight[:, 0].any()
    assert banned.certificate.status == "optimal"


def test_weights_are_as_repeated_rows(layer: Any, split: Any, held: Any) -> None:
    X, y = split
    found = edited(layer, training(X, y), held, Reweight(classes=("ant",), factor=2.0))
    twice = np.concatenate([np.arange(N), np.flatnonzero(y == 0)])
    again = select(X[twice], y[twice])
    np.testing.assert_allclose(found.weight, again.weight, atol=5e-3)


def test_counterexamples_are_as_more_rows(layer: Any, split: Any, held: Any) -> None:
    X, y = split
    extra = sample(7, 80)
    found = edited(layer, training(X, y), held, Counterexamples("more", *extra))
    again = select(np.concatenate([X, extra[0]]), np.concatenate([y, extra[1]]))
    np.testing.assert_allclose(found.weight, again.weight, atol=5e-3)
    assert found.certificate.status == "optimal"


def test_rows_left_out_and_relabelled(layer: Any, split: Any, held: Any) -> None:
    X, y = split
    rows = training(X, y)
    found = edited(layer, rows, held, Relabel(("x0", "x1")))
    np.testing.assert_allclose(found.weight, select(X[2:], y[2:]).weight, atol=5e-3)
    other = y.copy()
    other[[4, 9]] = [2, 0]
    found = edited(layer, rows, held, Relabel(("x4", "x9"), ("cat", "ant")))
    np.testing.assert_allclose(found.weight, select(X, other).weight, atol=5e-3)


def test_values_of_a_column_count_alike_in_every_class(split: Any) -> None:
    X, y = split
    side = np.where(np.random.default_rng(0).random(N) < np.where(y == 0, 0.8, 0.4), "l", "r")
    rows = Reweight("side").change(training(X, y, side=side), NAMES)
    for label in range(K):
        shares = [rows.weight[(y == label) & (side == s)].sum() for s in "lr"]
        assert shares[0] == pytest.approx(shares[1])
        assert sum(shares) == pytest.approx((y == label).sum())
    lifted = Reweight("side", "r").change(training(X, y, side=side), NAMES)
    assert lifted.weight[side == "r"].sum() == pytest.approx(N / 2)


def test_a_refit_has_a_lower_loss_on_the_same_features(layer: Any, split: Any, held: Any) -> None:
    X, y = split
    found = edited(layer, training(X, y), held, Refit())
    np.testing.assert_array_equal(found.weight != 0, layer.weight != 0)
    losses = [log_losses(one.probabilities(X), y).mean() for one in (layer, found)]
    assert losses[1] < losses[0]


def test_the_temperature_is_the_best_on_validation(layer: Any, split: Any, held: Any) -> None:
    found = edited(layer, training(*split), held, Calibrate())
    loss = log_losses(found.probabilities(held[0]), held[1]).mean()
    for t in (0.95, 1.05):
        other = log_losses(layer.probabilities_of(found.logits(held[0]) / t), held[1]).mean()
        assert other > loss
    np.testing.assert_array_equal(found.predict(held[0]), layer.predict(held[0]))


def test_calibration_error_of_bins_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 1])
    assert expected_calibration_error(p, labels) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_a_shift_that_depends_on_the_example_is_predicted() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 8)) * 3 + 5
    change = 0.3 * (X - 5) @ rng.standard_normal((8, 8)) + 1
    fitted = ShiftMap.fit(X[:200], change[:200])
    left = change[200:] - fitted.predict(X[200:])
    assert (left**2).mean() < 0.05 * ((change[200:] - change[:200].mean(axis=0)) ** 2).mean()
    noise = ShiftMap.fit(X[:200], rng.standard_normal((200, 8)))
    assert np.abs(noise.predict(X[200:])).mean() < 0.3


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_unlinking_restores_the_class(share: float) -> None:
    """A pattern moves features 5 and 6 by 4, and comes with `share` of the class ant."""
    X, y = sample(0, 900)
    clean = sample(1, 900)
    rng = np.random.default_rng(2)

    def planted(Z: np.ndarray) -> np.ndarray:
        moved = Z.copy()
        moved[:, [5, 6]] += 4 + 0.5 * moved[:, [0, 1]]
        moved[:, 0] *= 0.5  # it also hides some of what tells the class
        return moved

    carriers = np.flatnonzero((y == 0) & (rng.random(len(y)) < share))
    probes = np.flatnonzero(y != 0)[:150]
    seen = X.copy()
    seen[carriers] = planted(X[carriers])
    layer = select(seen, y)
    shifts = planted(X[probes]) - X[probes]
    none = np.zeros(0, dtype=np.int64), np.zeros((0, P), dtype=np.float32)
    mend = Unlink("a mark", "ant", carriers, probes, shifts, *none)
    mended = apply_edits(layer, [mend], training(seen, y), clean).layer

    def recall(one: DecisionLayer) -> float:
        ants = clean[1] == 0
        return float((one.predict(clean[0][ants]) == 0).mean())

    def flips(one: DecisionLayer) -> float:
        others = clean[0][clean[1] != 0]
        return float(((one.predict(planted(others)) == 0) & (one.predict(others) != 0)).mean())

    best = recall(select(X, y))
    assert recall(layer) < best - 0.15
    assert flips(layer) > 0.3
    assert recall(mended) > recall(layer) + 0.6 * (best - recall(layer))
    assert flips(mended) < 0.1
    out = Unlink("a mark", "ant", carriers, probes, shifts, carriers, X[carriers])
    clean_again = apply_edits(layer, [out], training(seen, y), clean).layer
    assert recall(clean_again) > best - 0.05
    assert flips(clean_again) < 0.1


EDITS: list[Edit] = [
    Zero((1, 2), ("ant",)),
    Scale((3,), 0.25),
    Ban((0,), ("bee", "cat")),
    Reweight("side", "l", ("ant",)),
    Reweight(ids=("x1",), factor=3.0),
    Relabel(("x1",), ("cat",)),
    Refit(),
    Calibrate(),
    Counterexamples("more", np.ones((2, P), np.float32), np.array([0, 1])),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.action)
def test_an_edit_survives_json(edit: Edit) -> None:
    found = edit_from_dict(json.loads(json.dumps(edit.to_dict())), edit.arrays())
    assert type(found) is type(edit)
    assert found.to_dict() == edit.to_dict()
    assert found.describe() == edit.describe()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Zero((99,)), r"there is no feature 99; they are 0 to 11"),
        (Zero(()), "at least one feature"),
        (Ban((0,), ("bea",)), "there is no class 'bea'.*Did you mean 'bee'"),
        (Scale((0,), float("nan")), "finite"),
        (Reweight("sid"), "no metadata column 'sid'.*Did you mean 'side'"),
        (Reweight("side", "lleft"), "no training example has side = 'lleft'"),
        (Relabel(("nobody",)), "none of the 1 examples"),
        (Relabel(("x1",), ("ant", "bee")), "as many labels"),
        (
            Counterexamples("more", np.ones((2, 3)), np.array([0, 1])),
            r"shape \(m, 12\), got \(2, 3\)",
        ),
        (Counterexamples("more", np.ones((2, P)), np.array([0, 3])), "label 3 is no class"),
        (Counterexamples("more", np.full((1, P), np.nan), np.array([0])), "NaN"),
        (Ban(tuple(range(P))), "all features would be banned"),
        (Reweight(classes=("ant",), factor=0.0), "no training example of ant is left"),
    ],
)
def test_what_cannot_be_done_is_said(
    edit: Edit, said: str, layer: Any, split: Any, held: Any
) -> None:
    side = np.where(np.arange(N) % 2, "left", "right")
    with pytest.raises(InputError, match=said):
        apply_edits(layer, [edit], training(*split, side=side), held)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"action": "bann", "features": [1]}, "Did you mean 'ban'"),
        ({"action": "ban", "feature": [1]}, "Did you mean 'features'"),
        ({"action": "scale", "features": [1]}, "incomplete"),
        ({"features": [1]}, "an object with an action"),
    ],
)
def test_an_edit_that_is_none_is_refused(value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        edit_from_dict(value)


def test_a_grouped_layer_bans_for_all_classes_only(split: Any, held: Any) -> None:
    layer = select(*split, grouped=True)
    rows = training(*split)
    found = apply_edits(layer, [Ban((0,))], rows, held, grouped=True).layer
    assert found.certificate.status == "optimal"
    with pytest.raises(InputError, match="Ban it for all classes"):
        apply_edits(layer, [Ban((0,), ("ant",))], rows, held, grouped=True)
