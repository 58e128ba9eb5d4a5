"""The path as an object, on disk, interrupted and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path as FilePath

import numpy as np
import pytest

from clearhead import glm
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError
from clearhead.glm import Path, fit_path, wilson_interval
from clearhead.glm.accuracy import Accuracy
from tests.glm.data import deep_features


@pytest.fixture(scope="module")
def path():
    X, y = deep_features(120, 8, 3, 0)
    return fit_path(
        X[:80], np.array(["cat", "dog", "owl"])[y[:80]], n_lambdas=7,
        validation=(X[80:], np.array(["cat", "dog", "owl"])[y[80:]]),
    )  # fmt: skip


def test_shapes(path):
    assert len(path) == 7
    assert path.coef(0).shape == (3, 8)
    assert path.intercept(0).shape == (3,)
    assert path.n_nonzero.shape == (7, 3)
    assert path.gaps.shape == path.kkt.shape == path.features_per_class.shape == (7,)
    assert set(path.losses) == set(path.accuracies) == {"train", "validation"}
    assert path.family == "multinomial"
    np.testing.assert_array_equal((path.coef(6) != 0).sum(axis=1), path.n_nonzero[6])
    assert [point.index for point in path] == list(range(7))
    assert path[-1].lam == path.lambdas[6]
    with pytest.raises(IndexError, match="0 to 6"):
        path[7]
    assert "7 points" in repr(path)
    assert "<table" in path._repr_html_()


def test_accuracy_and_loss_of_a_split_are_those_of_its_scores(path):
    X, y = deep_features(120, 8, 3, 0)
    Z = X[80:] @ path.coef(5, original_scale=True).T + path.intercept(5, original_scale=True)
    right = int((Z.argmax(axis=1) == y[80:]).sum())
    found = path.accuracies["validation"][5]
    assert found.value == right / 40
    assert (found.low, found.high) == wilson_interval(right, 40)
    loss = np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(40), y[80:]]
    np.testing.assert_allclose(path.losses["validation"][5], loss.mean())


def test_frame(path):
    frame = path.to_frame()
    assert len(frame) == 7
    assert list(frame.columns[:6]) == [
        "lam", "status", "gap", "kkt", "n_nonzero", "features_per_class",
    ]  # fmt: skip
    assert (frame["accuracy_validation_low"] <= frame["accuracy_validation"]).all()


def test_plot(path):
    pytest.importorskip("matplotlib")
    axes = path.plot()
    assert axes.get_xlabel() == "features per class"
    assert path.plot(axes) is axes


def test_select_hands_itself_to_the_rule(path):
    class Last:
        def apply(self, path: Path) -> float:
            return float(path.lambdas[-1])

    assert path.select(Last()) == path.lambdas[-1]


def test_save_and_load(path, tmp_path):
    path.save(tmp_path)
    # The table is for people: what they do to it changes nothing.
    (tmp_path / "points.csv").write_text("edited")
    again = Path.load(tmp_path)
    for i in range(7):
        np.testing.assert_array_equal(again.coef(i), path.coef(i))
        np.testing.assert_array_equal(again.intercept(i), path.intercept(i))
    for name in ("lambdas", "gaps", "kkt", "center", "scale", "dead", "banned"):
        np.testing.assert_array_equal(getattr(again, name), getattr(path, name))
    for name in ("status", "classes", "class_names", "family", "accuracies", "fingerprint"):
        assert getattr(again, name) == getattr(path, name)
    np.testing.assert_array_equal(again.losses["validation"], path.losses["validation"])


def test_damaged_and_newer_files_are_refused(path, tmp_path):
    with pytest.raises(StepMissingError, match=r"path\.json"):
        Path.load(tmp_path)
    path.save(tmp_path)
    header = json.loads((tmp_path / "path.json").read_text())
    (tmp_path / "path.json").write_text(json.dumps(header | {"schema_version": 99}))
    with pytest.raises(SchemaVersionError, match="99"):
        Path.load(tmp_path)
    (tmp_path / "path.json").write_text(json.dumps({"schema_version": 1}))
    with pytest.raises(CorruptFileError, match="checksums"):
        Path.load(tmp_path)
    (tmp_path / "path.json").write_text(json.dumps(header))
    data = bytearray((tmp_path / "coef.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "coef.safetensors").write_bytes(data)
    with pytest.raises(CorruptFileError, match="checksum"):
        Path.load(tmp_path)


def test_events(path):
    X, y = deep_features(60, 5, 2, 0)
    events = []
    fit_path(X, y, n_lambdas=5, on_event=events.append)
    assert [e.kind for e in events] == ["start", *["progress"] * 5, "end"]
    assert events[0].total == 5
    assert [e.done for e in events[1:-1]] == [1, 2, 3, 4, 5]
    assert "λ 5/5" in events[-2].message


def test_ctrl_c_passes_and_the_next_fit_goes_on(tmp_path):
    X, y = deep_features(60, 5, 3, 0)

    def stop(event):
        if event.done == 4 and event.kind == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_path(X, y, n_lambdas=8, checkpoint=tmp_path / "c", on_event=stop)
    assert len(list((tmp_path / "c").glob("point-*.json"))) == 4
    # Damage is found, and only what came before it is used.
    (tmp_path / "c" / "point-0003.safetensors").write_bytes(b"damaged")
    events = []
    path = fit_path(X, y, n_lambdas=8, checkpoint=tmp_path / "c", on_event=events.append)
    assert [e.done for e in events if e.kind == "progress"] == [3, 4, 5, 6, 7, 8]
    # It stays until the caller has saved the path: then nothing is solved twice.
    events.clear()
    fit_path(X, y, n_lambdas=8, checkpoint=tmp_path / "c", on_event=events.append)
    assert [e.done for e in events if e.kind == "progress"] == [8]
    plain = fit_path(X, y, n_lambdas=8)
    assert path.optimal.all()
    np.testing.assert_allclose(path.losses["train"], plain.losses["train"], rtol=1e-3)


@pytest.mark.parametrize("change", ["labels", "features", "weights", "tol", "lambdas"])
def test_points_of_another_problem_are_not_taken(tmp_path, change):
    X, y = deep_features(60, 5, 3, 0)

    def stop(event):
        if event.done == 4 and event.kind == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_path(X, y, n_lambdas=8, checkpoint=tmp_path, on_event=stop)
    options = {"n_lambdas": 8}
    if change == "labels":
        y = np.roll(y, 1)
    elif change == "features":
        X = X + 1e-9
    elif change == "weights":
        options["sample_weight"] = np.arange(1, 61)
    elif change == "tol":
        options["tol"] = 1e-5
    else:
        options["n_lambdas"] = 9
    events = []
    fit_path(X, y, checkpoint=tmp_path, on_event=events.append, **options)
    assert next(e.done for e in events if e.kind == "progress") == 1


SLOW_FIT = """
import sys, time
from tests.glm.data import deep_features
from clearhead.glm import fit_path
X, y = deep_features(200, 12, 3, 0)
fit_path(X, y, n_lambdas=40, checkpoint=sys.argv[1], on_event=lambda event: time.sleep(0.05))
"""


def test_kill_9_and_resume(tmp_path):
    environment = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(p for p in sys.path if p) + os.pathsep + str(FilePath.cwd()),
    )
    process = subprocess.Popen([sys.executable, "-c", SLOW_FIT, str(tmp_path)], env=environment)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("point-*.json"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = len(list(tmp_path.glob("point-*.json")))
    assert 5 <= kept < 40
    X, y = deep_features(200, 12, 3, 0)
    events = []
    path = fit_path(X, y, n_lambdas=40, checkpoint=tmp_path, on_event=events.append)
    first = next(e.done for e in events if e.kind == "progress")
    assert first == kept
    assert path.optimal.all()
    plain = fit_path(X, y, n_lambdas=40)
    np.testing.assert_allclose(path.losses["train"], plain.losses["train"], rtol=1e-3)


def test_the_same_fit_twice_is_the_same():
    X, y = deep_features(100, 10, 3, 0)
    one, two = fit_path(X, y, n_lambdas=10), fit_path(X, y, n_lambdas=10)
    for i in range(10):
        np.testing.assert_allclose(one.coef(i), two.coef(i), rtol=1e-9, atol=1e-12)
    assert one.fingerprint == two.fingerprint


def test_inputs_are_not_changed():
    X, y = deep_features(60, 5, 3, 0)
    weights, factors = np.ones(60), np.ones(5)
    before = [a.copy() for a in (X, y, weights, factors)]
    fit_path(X, y, n_lambdas=3, sample_weight=weights, penalty_factor=factors)
    for a, b in zip(before, (X, y, weights, factors), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval(right, n, low, high):
    np.testing.assert_allclose(wilson_interval(right, n), (low, high), atol=1e-4)
    accuracy = Accuracy.of(right, n)
    assert accuracy.n == n
    assert accuracy.low == pytest.approx(low, abs=1e-4)


def test_exports():
    assert glm.__all__ == sorted(glm.__all__)
    for name in glm.__all__:
        assert hasattr(glm, name)
