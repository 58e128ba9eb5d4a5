"""Wrong labels are found and counted, natural confusion is not taken for them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from scipy.special import expit

from clearhead.debug import LabelNoise, SplitView, TrainView, find, find_label_noise
from clearhead.debug.labels.lapse import _loss, fit_lapses
from clearhead.glm import fit_path
from clearhead.layer import DecisionLayer

from .planted import draw, fitted, plain_layer


def noisy(share: float, seed: int = 0) -> tuple[LabelNoise, set[str]]:
    """A share of class 0's examples is labelled class 1, in every split."""
    rng = np.random.default_rng(seed)
    parts, wrong = {}, set()
    for name, n in (("train", 1500), ("validation", 400), ("test", 700)):
        X, y = draw(rng, n)
        flipped = (y == 0) & (rng.random(n) < share)
        wrong |= {f"{name}{i}" for i in np.flatnonzero(flipped)}
        parts[name] = (X, np.where(flipped, 1, y))
    return find_label_noise(*fitted(parts)), wrong


@pytest.fixture(scope="module")
def found() -> tuple[LabelNoise, set[str]]:
    return noisy(0.35)


def test_pair_and_share_of_wrong_labels_are_found(found: tuple[LabelNoise, set[str]]) -> None:
    noise, _ = found
    (finding,) = noise.findings
    assert finding.kind == "label_noise"
    assert finding.classes == (1, 0)
    # A third of the examples are of class 0: .35/1.35 of those labelled 1.
    assert finding.effect.low <= 0.35 / 1.35 <= finding.effect.high
    assert finding.p_value < 1e-6
    (pair,) = [pair for pair in noise.pairs if pair.sure]
    assert pair.rate == pytest.approx(0.35, abs=0.08)
    assert "without" in finding.evidence


def test_suspects_are_mostly_wrong_and_say_so(found: tuple[LabelNoise, set[str]]) -> None:
    noise, wrong = found
    suspects = noise.suspects_of(noise.findings[0])
    assert len(suspects) == noise.pairs[0].n_suspects > 50
    right = np.mean([one.id in wrong for one in suspects])
    assert right > 0.8
    # Their own certainty is about how often they are.
    assert np.mean([one.sure for one in suspects]) == pytest.approx(right, abs=0.1)
    assert np.mean([one.neighbours for one in suspects]) > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_confusion_alone_is_no_noise(seed: int) -> None:
    noise, _ = noisy(0.0, seed)
    assert noise.findings == ()


def test_a_class_that_was_given_up_is_doubted_by_the_dense_layer() -> None:
    rng = np.random.default_rng(0)
    parts = {}
    for name, n in (("train", 1500), ("validation", 400), ("test", 700)):
        X, y = draw(rng, n)
        parts[name] = (X, np.where((y == 0) & (rng.random(n) < 0.45), 1, y))
    X, y = parts["train"]
    names = ["class0", "class1", "class2"]
    path = fit_path(X, y, family="multinomial", lambdas=[0.15, 0.02], class_names=names)
    sparse, dense = (DecisionLayer.from_path(path, at) for at in (0, 1))
    views = [
        SplitView.of(
            sparse,
            dense,
            X,
            y,
            ids=np.arange(len(y)).astype(object),
            metadata=pd.DataFrame(index=y),
        )
        for X, y in (parts["validation"], parts["test"])
    ]
    train = TrainView(sparse, X, y, np.arange(len(y)).astype(object))
    assert find_label_noise(train, *views).findings == ()
    seen = {one.kind: one for one in find(*views, train=train).findings if one.confirmed}
    assert "the sparse layer finds class class0 less often" in seen["confusion"].evidence
    assert not {"given_up", "label_noise"} & set(seen)
    found = find(*views, train=train, dense=dense)
    (noise,) = [one for one in found.findings if one.kind == "label_noise"]
    assert noise.confirmed
    assert noise.classes == (1, 0)
    assert "dense layer's scores" in noise.evidence
    assert found.labels is not None
    assert found.labels.suspects_of(noise)


def test_label_noise_survives_json(found: tuple[LabelNoise, set[str]]) -> None:
    noise, _ = found
    assert LabelNoise.from_dict(json.loads(json.dumps(noise.to_dict()))) == noise
    frame = noise.to_frame()
    assert set(frame["likely"]) <= set(noise.class_names)
    assert "suspects" in noise._repr_html_()


def test_curve_is_recovered_and_its_gradient_is_right() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(scale=3, size=4000)
    p = 0.25 + (1 - 0.25 - 0.05) * expit(-(0.5 + 1.5 * d))
    lapses = fit_lapses(d, rng.random(4000) < p)
    assert lapses.floor == pytest.approx(0.25, abs=0.04)
    assert lapses.ceiling == pytest.approx(0.05, abs=0.03)
    assert lapses.p_value < 1e-10
    near = np.linspace(-2, 2, 5)
    mixed = lapses.floor + lapses.confused(near)
    assert mixed == pytest.approx(0.25 + 0.7 * expit(-(0.5 + 1.5 * near)), abs=0.08)
    x = np.array([0.3, 1.2, 0.1, 0.05])
    is_b = rng.random(4000) < p
    error = check_grad(lambda v: _loss(v, d, is_b)[0], lambda v: _loss(v, d, is_b)[1], x)
    assert error < 1e-2


def test_p_value_of_no_floor_is_not_small_too_often() -> None:
    rng = np.random.default_rng(1)
    small = 0
    for _ in range(60):
        d = rng.normal(scale=2, size=300)
        small += fit_lapses(d, rng.random(300) < expit(-1.5 * d)).p_value < 0.05
    assert small <= 9


def test_a_layer_without_features_doubts_nothing() -> None:
    rng = np.random.default_rng(0)
    train, *views = fitted({name: draw(rng, 300) for name in ("train", "validation", "test")})
    empty = plain_layer(np.zeros((3, 12)))
    found = find_label_noise(
        replace(train, layer=empty), *(replace(view, layer=empty) for view in views)
    )
    assert found.pairs == found.suspects == found.findings == ()
