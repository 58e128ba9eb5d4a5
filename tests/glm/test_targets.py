"""What rows should be: every kind that is read, everything that is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import r2_score

from clearhead.errors import InputError
from clearhead.glm import Path, fit_path
from tests.glm.data import targets

X, LABELS = targets("multilabel", 60, 5, 3, 0)
_, NUMBERS = targets("gaussian", 60, 5, 3, 0)


def changed(array, place, value):
    array = np.array(array, dtype=np.result_type(array, type(value)))
    array[place] = value
    return array


def in_frame(values, names):
    return pd.DataFrame(dict(zip(names, np.asarray(values).T, strict=True)))


@pytest.mark.parametrize(
    ("family", "y", "words", "options"),
    [
        ("multilabel", LABELS[:, 0], ["matrix (n, K)", "(60,)", "reshape(-1, 1)"], {}),
        ("multilabel", changed(LABELS, (7, 2), 2), ["0 and 1", "2 at row 7, column '2'"], {}),
        ("multilabel", NUMBERS, ["0 and 1", "row 0", "gaussian"], {}),
        ("multilabel", changed(LABELS, (4, 1), np.nan), ["nan at row 4, column '1'"], {}),
        ("multilabel", LABELS.astype(str), ["numbers", "dtype", "auto"], {}),
        ("multilabel", LABELS * [1, 0, 1], ["Label '1'", "no positive", "drop the label"], {}),
        ("multilabel", LABELS | [0, 0, 1], ["Label '2'", "no negative"], {}),
        (
            "multilabel", LABELS * [1, 0, 1], ["Label 'dog'", "no positive"],
            {"class_names": ["cat", "dog", "owl"]},
        ),
        (
            "multilabel", LABELS, ["Label '0'", "no negative", "positive weight"],
            {"sample_weight": LABELS[:, 0].astype(float)},
        ),
        ("multilabel", LABELS[:-1], ["60 rows", "59 labels"], {}),
        ("multilabel", LABELS, ["2 names", "3 column(s)"], {"class_names": ["a", "b"]}),
        ("multilabel", LABELS, ["validation", "2 column(s)"], {"validation": (X, LABELS[:, :2])}),
        ("multilabel", np.zeros((60, 0)), ["matrix (n, K)", "(60, 0)"], {}),
        ("gaussian", changed(NUMBERS, (5, 0), np.inf), ["inf at row 5, column '0'"], {}),
        ("gaussian", changed(NUMBERS[:, 0], 9, np.nan), ["nan at row 9"], {}),
        ("gaussian", changed(NUMBERS, (5, 1), 1e200), ["1e+200", "column '1'", "Rescale"], {}),
        ("gaussian", [None, *NUMBERS[1:, 0]], ["nan at row 0"], {}),
        ("gaussian", ["cheap", "dear"] * 30, ["numbers", "auto"], {}),
        ("gaussian", np.ones(60), ["the same in all rows"], {}),
        ("gaussian", NUMBERS[:, :, None], ["(n, K)", "(60, 3, 1)"], {}),
        ("gaussian", NUMBERS, ["test", "1 column(s)"], {"test": (X, NUMBERS[:, 0])}),
        ("gaussian", X @ np.arange(5.0), ["explain the targets"], {"penalty_factor": [0] * 5}),
        ("auto", LABELS, ["(60, 3)", "argmax", "multilabel", "gaussian"], {}),
        (
            "multilabel", in_frame(changed(LABELS, (4, 1), np.nan), "abc"),
            ["row 4, column 'b'"], {},
        ),
        ("gaussian", pd.DataFrame({"price": ["a"] * 60}), ["Column 'price'", "numbers"], {}),
    ],
)  # fmt: skip
def test_refused(family, y, words, options):
    with pytest.raises(InputError) as caught:
        fit_path(X, y, family=family, n_lambdas=2, **options)
    for word in words:
        assert word in str(caught.value)


def test_features_of_a_frame_that_are_no_numbers_are_named():
    frame = in_frame(X, "abcde").assign(city="Rome")
    with pytest.raises(InputError, match=r"Column 'city' of X .* Leave it out"):
        fit_path(frame, LABELS[:, 0])
    frame = in_frame(X, "abcde")
    frame.loc[3, "d"] = np.nan
    with pytest.raises(InputError, match="row 3, column 3"):
        fit_path(frame, LABELS[:, 0])


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: in_frame(a, "abcde"[: a.shape[1]]),
        lambda a: in_frame(a, "abcde"[: a.shape[1]]).convert_dtypes(),
        lambda a: in_frame(a, "fghij"[: a.shape[1]]).astype("float32"),
        torch.tensor,
        lambda a: a.tolist(),
        lambda a: np.asfortranarray(a)[::-1][::-1],
    ],
    ids=["pandas", "nullable", "float32", "torch", "list", "strides"],
)
@pytest.mark.parametrize("family", ["multilabel", "gaussian"])
def test_kinds_of_array(family, convert):
    features = np.round(X * 8) / 8
    y = LABELS if family == "multilabel" else np.round(NUMBERS * 8) / 8
    one = fit_path(features, y, family=family, n_lambdas=3, tol=1e-9)
    two = fit_path(convert(features), convert(y), family=family, n_lambdas=3, tol=1e-9)
    np.testing.assert_allclose(one.coef(2), two.coef(2), atol=1e-5)
    if convert(y) is not y and hasattr(convert(y), "columns"):
        assert two.classes == tuple(convert(y).columns)
    else:
        assert two.classes == (0, 1, 2)
        assert two.class_names == ("0", "1", "2")


@pytest.mark.parametrize("family", ["multilabel", "gaussian"])
def test_polars(family):
    polars = pytest.importorskip("polars")
    y = LABELS if family == "multilabel" else NUMBERS
    frame = polars.DataFrame({f"x{j}": X[:, j] for j in range(5)})
    wanted = polars.DataFrame({f"y{k}": y[:, k] for k in range(3)})
    one = fit_path(X, y, family=family, n_lambdas=3, tol=1e-9)
    two = fit_path(frame, wanted, family=family, n_lambdas=3, tol=1e-9)
    np.testing.assert_allclose(one.coef(2), two.coef(2), atol=1e-6)
    assert two.class_names == ("y0", "y1", "y2")
    with pytest.raises(InputError, match="Column 'city' of X"):
        fit_path(frame.with_columns(polars.lit("Rome").alias("city")), y, family=family)
    classes = polars.Series(["a", "b"] * 30)
    assert fit_path(frame, classes, n_lambdas=2).classes == ("a", "b")
    with pytest.raises(InputError, match="row 1"):
        fit_path(frame, polars.Series(["a", None] * 30), n_lambdas=2)


@pytest.mark.parametrize("missing", [pd.NA, None, np.nan, pd.NaT])
def test_missing_classes_of_a_series(missing):
    with pytest.raises(InputError, match="row 2"):
        fit_path(X, pd.Series(["a", "b", missing] * 20))


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["a", "b"] * 30, dtype="string"),
        pd.Series(["a", "b"] * 30, dtype="category"),
        pd.Series([1, 2] * 30, dtype="Int64"),
        pd.DataFrame({"y": ["a", "b"] * 30}),
    ],
    ids=["string", "category", "Int64", "column"],
)
def test_classes_of_a_series(series):
    assert len(fit_path(X, series, n_lambdas=2).classes) == 2


@pytest.mark.parametrize("family", ["multilabel", "gaussian"])
def test_on_disk_and_shown(family, tmp_path):
    pytest.importorskip("matplotlib")
    y = LABELS if family == "multilabel" else NUMBERS
    path = fit_path(
        X[:40], y[:40], family=family, n_lambdas=4, validation=(X[40:], y[40:]),
        class_names=["u", "v", "w"],
    )  # fmt: skip
    assert path.n_samples == {"train": 40, "validation": 20}
    assert path.class_names == ("u", "v", "w")
    Z = (X[40:] - path.center) / path.scale @ path.coef(3).T + path.intercept(3)
    frame = path.to_frame()
    if family == "gaussian":
        assert path.accuracies == {}
        assert path[3].accuracies == {}
        loss = 0.5 * ((y[40:] - Z) ** 2).sum(axis=1).mean()
        assert not any(name.startswith("accuracy") for name in frame.columns)
        left = ((y[40:] - Z) ** 2).sum() / ((y[40:] - y[40:].mean(axis=0)) ** 2).sum()
        assert path.r2["validation"][3] == pytest.approx(1 - left)
        assert frame["r2_validation"][3] == path.r2["validation"][3]
        assert path.r2["train"][0] == pytest.approx(0, abs=1e-12)
        assert path.plot().get_ylabel() == "R²"
        assert "3 outputs" in repr(path)
    else:
        loss = (np.logaddexp(0, Z) - y[40:] * Z).sum(axis=1).mean()
        right = ((Z > 0) == y[40:]).all(axis=1).mean()
        assert path.accuracies["validation"][3].value == pytest.approx(right)
        assert path.plot().get_ylabel() == "accuracy"
        assert path.r2 == {}
        assert "3 labels" in repr(path)
    np.testing.assert_allclose(path.losses["validation"][3], loss)
    path.save(tmp_path)
    again = Path.load(tmp_path)
    assert again.family == family
    assert again.n_samples == path.n_samples
    assert again.accuracies == path.accuracies
    assert {split: list(r2) for split, r2 in again.r2.items()} == {
        split: list(r2) for split, r2 in path.r2.items()
    }
    np.testing.assert_array_equal(again.coef(3), path.coef(3))


def test_a_path_of_an_older_version_still_loads(tmp_path):
    path = fit_path(X, LABELS[:, 0], n_lambdas=2)
    path.save(tmp_path)
    header = json.loads((tmp_path / "path.json").read_text())
    del header["grouped"]
    (tmp_path / "path.json").write_text(json.dumps(header))
    assert not Path.load(tmp_path).grouped


def test_r2_is_scikit_learns_of_weighted_rows():
    weights = np.random.default_rng(1).integers(0, 4, 60).astype(float)
    path = fit_path(X, NUMBERS, family="gaussian", sample_weight=weights, n_lambdas=3)
    scores = X @ path.coef(2, original_scale=True).T + path.intercept(2, original_scale=True)
    theirs = r2_score(NUMBERS, scores, sample_weight=weights, multioutput="variance_weighted")
    assert path.r2["train"][2] == pytest.approx(theirs)
    flat = fit_path(X, NUMBERS, family="gaussian", n_lambdas=2, validation=(X[:1], NUMBERS[:1]))
    assert np.isnan(flat.r2["validation"]).all()


def test_targets_are_in_the_fingerprint():
    one = fit_path(X, LABELS, family="multilabel", n_lambdas=2)
    two = fit_path(X, LABELS[:, ::-1], family="multilabel", n_lambdas=2)
    three = fit_path(X, NUMBERS, family="gaussian", n_lambdas=2)
    four = fit_path(X, NUMBERS, family="gaussian", grouped=True, n_lambdas=2)
    assert len({path.fingerprint for path in (one, two, three, four)}) == 4
