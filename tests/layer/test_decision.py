"""The decision layer against plain matrix algebra, and its file against damage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clearhead.errors import CorruptFileError, InputError, SchemaVersionError, StepMissingError
from clearhead.glm import fit_path
from clearhead.layer import Best, Certificate, DecisionLayer, ablate, evaluate

NAMES = ("a", "b", "c")


@pytest.fixture
def layer() -> DecisionLayer:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 6)) * (rng.random((3, 6)) < 0.6)
    weight[:, 4] = 0.0
    dead = np.zeros(6, dtype=bool)
    dead[4] = True
    scale = rng.uniform(0.5, 3, 6)
    scale[4] = 0.0
    return DecisionLayer(
        weight=weight,
        bias=rng.normal(size=3),
        center=rng.normal(size=6),
        scale=scale,
        dead=dead,
        class_names=NAMES,
        certificate=Certificate("multinomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


@pytest.fixture
def X() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)


def slow_logits(layer: DecisionLayer, X: np.ndarray) -> np.ndarray:
    scores = np.zeros((len(X), 3))
    for i, x in enumerate(X.astype(float)):
        for k in range(3):
            scores[i, k] = layer.bias[k]
            for j in range(6):
                if not layer.dead[j]:
                    z = (x[j] - layer.center[j]) / layer.scale[j]
                    scores[i, k] += layer.weight[k, j] * z
    return scores


def test_logits_are_the_formula(layer: DecisionLayer, X: np.ndarray) -> None:
    assert layer.logits(X) == pytest.approx(slow_logits(layer, X), abs=1e-12)
    assert (layer.predict(X) == slow_logits(layer, X).argmax(axis=1)).all()
    assert layer.probabilities(X).sum(axis=1) == pytest.approx(np.ones(40))


def test_editing_returns_a_new_layer(layer: DecisionLayer) -> None:
    before = layer.weight.copy()
    edited = layer.without([int(layer.used[0])])
    assert layer.used[0] not in edited.used
    assert (layer.weight == before).all()
    assert edited.certificate.status == "edited"
    assert edited.certificate.gap is None
    top, rest = layer.keep_top(1), layer.drop_top(1)
    assert (top.n_nonzero == np.minimum(layer.n_nonzero, 1)).all()
    assert (top.weight + rest.weight == layer.weight).all()
    for k in range(3):
        strongest = np.abs(layer.weight[k]).argmax()
        assert top.weight[k, strongest] == layer.weight[k, strongest]
        assert list(layer.top(k)) == sorted(
            np.flatnonzero(layer.weight[k]), key=lambda j: -abs(layer.weight[k, j])
        )


def test_wrong_width_is_named(layer: DecisionLayer) -> None:
    with pytest.raises(InputError, match=r"\(n, 6\), got \(2, 5\)"):
        layer.logits(np.zeros((2, 5)))


def test_save_and_load_give_the_same_layer(
    layer: DecisionLayer, X: np.ndarray, tmp_path: Path
) -> None:
    layer.save(tmp_path)
    again = DecisionLayer.load(tmp_path)
    assert (again.logits(X) == layer.logits(X)).all()
    assert again.certificate == layer.certificate
    assert again.class_names == NAMES
    assert repr(again) == repr(layer)


def test_damaged_and_newer_files_are_refused(layer: DecisionLayer, tmp_path: Path) -> None:
    with pytest.raises(StepMissingError, match="run select"):
        DecisionLayer.load(tmp_path)
    layer.save(tmp_path)
    arrays = tmp_path / "layer.safetensors"
    data = bytearray(arrays.read_bytes())
    data[-1] ^= 1
    arrays.write_bytes(data)
    with pytest.raises(CorruptFileError, match="damaged"):
        DecisionLayer.load(tmp_path)
    layer.save(tmp_path)
    meta = json.loads((tmp_path / "layer.json").read_text())
    del meta["certificate"]
    (tmp_path / "layer.json").write_text(json.dumps(meta))
    with pytest.raises(CorruptFileError, match="certificate"):
        DecisionLayer.load(tmp_path)
    meta["schema_version"] = 99
    (tmp_path / "layer.json").write_text(json.dumps(meta))
    with pytest.raises(SchemaVersionError, match="Upgrade"):
        DecisionLayer.load(tmp_path)


def test_ablation_is_the_accuracy_of_cut_layers(layer: DecisionLayer, X: np.ndarray) -> None:
    y = layer.predict(X)
    rows = ablate(layer, X, y, ks=(1, 6))
    assert rows[0].all.value == 1.0
    assert rows[0].top.value == pytest.approx((layer.keep_top(1).predict(X) == y).mean())
    assert rows[0].rest.value == pytest.approx((layer.drop_top(1).predict(X) == y).mean())
    assert rows[1].top.value == 1.0
    assert rows[1].rest.value == pytest.approx((y == layer.bias.argmax()).mean())


def test_evaluation_counts(layer: DecisionLayer) -> None:
    labels = np.array([0, 0, 0, 1, 1])
    predicted = np.array([0, 0, 1, 1, 0])
    result = evaluate(labels, predicted, 3)
    assert result.accuracy.value == pytest.approx(0.6)
    assert result.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    recall, precision = result.recall, result.precision
    assert recall[0] is not None
    assert recall[0].value == pytest.approx(2 / 3)
    assert recall[2] is None
    assert precision[1] is not None
    assert precision[1].value == pytest.approx(0.5)


def test_frame_plot_and_notebook(layer: DecisionLayer) -> None:
    frame = layer.to_frame()
    assert len(frame) == layer.n_nonzero.sum()
    axes = layer.plot(1, k=2)
    assert len(axes.patches) == min(2, layer.n_nonzero[1])
    assert "<table" in layer._repr_html_()


def test_independent_labels_decide_one_by_one(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    X = random.standard_normal((120, 4))
    y = (X[:, :3] + 0.5 * random.standard_normal((120, 3)) > 0.3).astype(np.int64)
    path = fit_path(X[:90], y[:90], family="multilabel", n_lambdas=8, validation=(X[90:], y[90:]))
    layer = path.select(Best())
    assert layer.multilabel
    assert layer.certificate.family == "multilabel"
    scores = layer.logits(X)
    np.testing.assert_allclose(layer.probabilities(X), 1 / (1 + np.exp(-scores)), rtol=1e-12)
    assert layer.predict(X).shape == (120, 3)
    assert (layer.predict(X) == (layer.probabilities(X) > 0.5)).all()
    # what the path itself measured on the same rows
    right = (layer.predict(X[90:]) == y[90:]).all(axis=1)
    assert ablate(layer, X[90:], y[90:], ks=(4,))[0].all.value == right.mean()
    index = Best().index(path)
    assert path.accuracies["validation"][index].value == right.mean()
    layer.save(tmp_path)
    assert DecisionLayer.load(tmp_path).multilabel
    assert layer.without([0]).multilabel
    with pytest.raises(InputError, match="one by one"):
        evaluate(y, layer.predict(X), 3)
    with pytest.raises(InputError, match=r"predictions \(120, 3\), got \(120,\)"):
        ablate(layer, X, y[:, 0])


def test_probabilities_of_large_scores_are_finite(layer: DecisionLayer) -> None:
    scores = np.array([[1000.0, -1000.0, 0.0]])
    assert layer.probabilities_of(scores).tolist() == [[1.0, 0.0, 0.0]]


def test_a_path_of_numbers_is_refused():
    random = np.random.default_rng(0)
    X = random.standard_normal((40, 3))
    path = fit_path(X, X[:, 0] + random.standard_normal(40), family="gaussian", n_lambdas=2)
    with pytest.raises(InputError, match=r"family 'gaussian'.*path\.coef"):
        DecisionLayer.from_path(path, 1)


def test_the_unpenalised_end_of_a_path_has_no_gap():
    random = np.random.default_rng(0)
    X = random.standard_normal((40, 2))
    path = fit_path(X, X[:, 0] + 3 * random.standard_normal(40) > 0, n_lambdas=2, unpenalised=True)
    assert DecisionLayer.from_path(path, -1).certificate.gap is None
    assert DecisionLayer.from_path(path, -1).certificate.describe() == "unregularised"
