"""glm_saga's checkpoints: a real run's, read and certified; hostile ones, refused.

The files in ``saga/`` were written by glm_saga 0.1.2 itself (``saga/make.py.txt``).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path as FilePath

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from clearhead.errors import CorruptFileError, DataError, InputError, StepMissingError
from clearhead.events import Event
from clearhead.glm import SagaPath, read_saga
from clearhead.layer import DecisionLayer

HERE = FilePath(__file__).parent / "saga"
with np.load(HERE / "data.npz") as arrays:
    X, Y, NUMBERS = arrays["X"], arrays["y"], arrays["numbers"]


def normalized() -> np.ndarray:
    """As glm_saga's NormalizedRepresentation does."""
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def point(folder: str, i: int) -> dict:
    return torch.load(HERE / folder / f"params{i}.pth", weights_only=True)


@pytest.fixture(scope="module")
def saga() -> SagaPath:
    return read_saga(HERE / "multinomial", X, Y)


def test_objectives_are_those_that_glm_saga_wrote(saga):
    assert len(saga) == 5
    for i in range(5):
        kept = point("multinomial", i)
        assert saga.objectives[i] == pytest.approx(kept["loss"], rel=1e-5)
        assert saga.path.lambdas[i] == pytest.approx(float(kept["lam"]))
        np.testing.assert_array_equal(saga.path.coef(i), kept["weight"].double().numpy())
        accuracy = saga.path.accuracies["train"][i].value
        assert accuracy == pytest.approx(kept["metrics"]["acc_tr"], abs=1e-6)
    assert saga.path.l1_ratio == 0.99


def test_objective_of_the_grouped_run_has_the_grouped_norm():
    """glm_saga prints the l1 norm there, though it does not minimise it."""
    saga = read_saga(HERE / "grouped", X, Y, grouped=True)
    for i in range(3):
        kept = point("grouped", i)
        W, b, lam = kept["weight"].double().numpy(), kept["bias"].double().numpy(), kept["lam"]
        Z = normalized() @ W.T + b
        loss = (logsumexp(Z, axis=1) - Z[np.arange(len(Y)), Y]).mean()
        norms = np.linalg.norm(W, axis=0).sum()
        value = loss + float(lam) * (0.99 * norms + 0.005 * (W**2).sum())
        assert saga.objectives[i] == pytest.approx(value, rel=1e-6)
    assert (saga.excess > -1e-4).all()
    assert saga.path.grouped


def test_gaussian_strength_goes_with_the_sum_over_outputs():
    """What glm_saga prints has a factor 1/K; what it minimises has not."""
    saga = read_saga(HERE / "gaussian", X, NUMBERS, family="gaussian")
    assert (np.abs(saga.excess) < 0.01).all()
    kept = point("gaussian", 1)
    R = NUMBERS - normalized() @ kept["weight"].double().numpy().T - kept["bias"].double().numpy()
    W, lam = kept["weight"].double().numpy(), float(kept["lam"])
    penalty = lam * (0.99 * np.abs(W).sum() + 0.005 * (W**2).sum())
    assert saga.objectives[1] == pytest.approx(0.5 * (R**2).sum(axis=1).mean() + penalty, rel=1e-6)
    assert kept["loss"] == pytest.approx(0.25 * (R**2).sum(axis=1).mean() + penalty, rel=1e-5)


def test_told_more_rows_than_it_had_it_solves_at_another_strength():
    """150 rows were claimed, 120 trained on: the strength is 150 / 120 times lam."""
    told = read_saga(HERE / "told", X, Y, n_ex=150)
    plain = read_saga(HERE / "told", X, Y)
    np.testing.assert_allclose(told.path.lambdas, plain.path.lambdas * 1.25)
    assert (told.excess[1:] < 0.5 * plain.excess[1:]).all()


def test_gaps_bound_the_excess(saga):
    used = saga.path.lambdas > 0
    assert saga.optimum is not None
    assert (saga.optimum.gaps[used] <= 1e-4).all()
    assert (saga.excess > -1e-4).all()
    above = (saga.objectives - saga.optima)[used] / saga.objectives[used]
    assert (saga.path.gaps[used] >= above - 1e-12).all()
    alone = read_saga(HERE / "multinomial", X, Y, compare=False)
    assert (alone.path.gaps[used] >= saga.path.gaps[used] - 1e-12).all()
    assert np.isnan(alone.excess).all()
    assert "at most" in alone.describe(2)


def test_says_what_is_wrong_with_a_point(saga):
    text = saga.describe(3)
    assert text.startswith(f"point 3 is {saga.excess[3]:.2%} above the optimum and keeps ")
    assert len(list(saga.lines())) == 5
    assert "5 points" in repr(saga)
    assert "<table" in saga._repr_html_()
    frame = saga.to_frame()
    assert list(frame["point"]) == [0, 1, 2, 3, 4]
    with pytest.raises(InputError, match=r"no params9\.pth"):
        saga.describe(9)


def test_plot(saga):
    pytest.importorskip("matplotlib")
    axes = saga.plot()
    assert axes.get_ylabel() == "features per class"
    assert saga.plot(axes) is axes


def test_the_path_is_one_like_any_other(saga, tmp_path):
    saga.path.save(tmp_path)
    layer = DecisionLayer.from_path(type(saga.path).load(tmp_path), 2)
    kept = point("multinomial", 2)
    Z = normalized() @ kept["weight"].double().numpy().T + kept["bias"].double().numpy()
    np.testing.assert_allclose(layer.logits(X), Z, atol=1e-6)
    np.testing.assert_allclose(saga.optimum.center, X.mean(axis=0), rtol=1e-5)


def test_own_normalisation_and_none(saga):
    pair = (X.mean(axis=0), X.std(axis=0, ddof=1))
    for given, features in ((pair, X), (False, normalized())):
        again = read_saga(HERE / "multinomial", features, Y, normalize=given, compare=False)
        np.testing.assert_allclose(again.objectives, saga.objectives, rtol=1e-6)


def test_weights_are_a_mean_that_glm_saga_does_not_scale():
    weights = np.full(len(Y), 2.0)
    saga = read_saga(HERE / "multinomial", X, Y, sample_weight=weights, compare=False)
    assert saga.path.lambdas[0] == pytest.approx(float(point("multinomial", 0)["lam"]) / 2)


def test_validation_and_some_points():
    events: list[Event] = []
    saga = read_saga(
        HERE / "multinomial", X, Y, points=[3, 1], validation=(X[:50], Y[:50]),
        on_event=events.append,
    )  # fmt: skip
    assert saga.numbers == (1, 3)
    assert set(saga.path.accuracies) == set(saga.optimum.accuracies) == {"train", "validation"}
    assert events[-1].kind == "end"


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"X": X[:, :5]}, DataError, ["6 features", "has 5"]),
        ({"y": np.minimum(Y, 1)}, DataError, ["3 outputs", "2 classes"]),
        ({"family": "binomial"}, InputError, ["multinomial and gaussian"]),
        ({"normalize": "yes"}, InputError, ["normalize", "mean, std"]),
        ({"normalize": (np.ones(6), np.zeros(6))}, InputError, ["positive deviations"]),
        ({"normalize": (np.ones(5), np.ones(5))}, InputError, ["6 means", "got 5"]),
        ({"n_ex": 100}, InputError, ["n_ex is 100", "120 rows"]),
        ({"points": [7]}, InputError, ["no params7.pth", "0 to 4"]),
        ({"points": []}, InputError, ["no point"]),
    ],
)
def test_bad_arguments(arguments, kind, words):
    given = {"X": X, "y": Y, **arguments}
    with pytest.raises(kind) as error:
        read_saga(HERE / "multinomial", given.pop("X"), given.pop("y"), **given)
    assert all(word in str(error.value) for word in words), str(error.value)


class Bomb:
    """Pickled, it would make a folder when it is loaded."""

    def __init__(self, target: FilePath) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.fixture
def folder(tmp_path) -> FilePath:
    return FilePath(shutil.copytree(HERE / "multinomial", tmp_path / "run"))


def refused(folder: FilePath, *words: str) -> None:
    with pytest.raises(CorruptFileError) as error:
        read_saga(folder, X, Y)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_code_is_refused_and_named(folder):
    target = folder / "owned"
    torch.save({**point("multinomial", 2), "lr": Bomb(target)}, folder / "params2.pth")
    refused(folder, "params2.pth", "could run code", "mkdir")
    assert not target.exists()


def test_damaged_files_are_named(folder):
    file = folder / "params1.pth"
    data = file.read_bytes()
    for content in (data[:500], b"", b"hello"):
        file.write_bytes(content)
        refused(folder, "params1.pth")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weight": None}, ["weight", "tensor of floats"]),
        ({"weight": torch.zeros(3)}, ["(3,)", "(K, p)"]),
        ({"bias": torch.zeros(2)}, ["(2,)", "(K,)"]),
        ({"weight": torch.zeros(3, 6, dtype=torch.long)}, ["tensor of floats"]),
        ({"weight": torch.full((3, 6), torch.nan)}, ["not finite", "points="]),
        ({"weight": torch.zeros(3, 7)}, ["(3, 7)", "(3, 6)", "different runs"]),
        ({"alpha": 0.5}, ["alpha 0.5", "different runs"]),
        ({"alpha": 1.5}, ["out of range"]),
        ({"lam": torch.tensor([1.0, 2.0])}, ["lam should be a number"]),
        ({"lam": torch.tensor(9.0)}, ["not below"]),
        ({"lam": "strong"}, ["lam should be a number"]),
    ],
)
def test_other_layouts_are_named(folder, change, words):
    torch.save({**point("multinomial", 2), **change}, folder / "params2.pth")
    refused(folder, "params2.pth", *words)


def test_missing_keys_are_named(folder):
    torch.save({"state_dict": {}}, folder / "params0.pth")
    refused(folder, "params0.pth", "lam, alpha, weight, bias", "state_dict")
    torch.save([1, 2], folder / "params0.pth")
    refused(folder, "params0.pth", "holds list")


def test_a_missing_point_is_named_and_can_be_left_out(folder):
    (folder / "params1.pth").unlink()
    refused(folder, "lacks params1.pth", "params4.pth", "points=[")
    assert read_saga(folder, X, Y, points=[0, 2], compare=False).numbers == (0, 2)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(StepMissingError, match=r"holds no params0\.pth"):
        read_saga(tmp_path, X, Y)
