"""The selection rules on a real path, against a slow reading of what each one says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clearhead.errors import InputError
from clearhead.glm import Path, fit_path
from clearhead.layer import (
    Best,
    DecisionLayer,
    FeaturesPerClass,
    OneStandardError,
    Percentile,
    Rule,
    Sparsest,
    parse_rule,
)


def draw(seed: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    X = rng.normal(size=(n, 12))
    X[np.arange(n), y] += 1.2
    return X, y


@pytest.fixture(scope="module")
def path() -> Path:
    return fit_path(
        *draw(0, 240, 4), validation=draw(1, 150, 4), n_lambdas=25, lambda_min_ratio=0.01
    )


def points(path: Path) -> list[tuple[float, float, int]]:
    """(features per class, validation accuracy, index) of every point."""
    scores = path.accuracies["validation"]
    return [(float(np.mean(path.n_nonzero[i])), scores[i].value, i) for i in range(len(path))]


def test_best(path: Path) -> None:
    best = max(accuracy for _, accuracy, _ in points(path))
    fewest = min(f for f, accuracy, _ in points(path) if accuracy == best)
    chosen = points(path)[Best().index(path)]
    assert chosen[:2] == (fewest, best)


@pytest.mark.parametrize("drop", [0.0, 0.02, 0.05, 0.2])
@pytest.mark.parametrize("relative", [False, True])
def test_sparsest_is_the_sparsest_within_the_budget(
    path: Path, drop: float, relative: bool
) -> None:
    best = max(accuracy for _, accuracy, _ in points(path))
    floor = best * (1 - drop) if relative else best - drop
    fewest = min(f for f, accuracy, _ in points(path) if accuracy >= floor - 1e-12)
    chosen = points(path)[Sparsest(drop, relative=relative).index(path)]
    assert chosen[0] == fewest
    assert chosen[1] >= floor - 1e-12


def test_sparsest_takes_a_layer_with_features_where_one_is_within_the_budget() -> None:
    rng = np.random.default_rng(0)
    parts = []
    for n in (400, 300):  # of one class in ten: the commonest class alone is nearly as good
        y = (rng.random(n) < 0.1).astype(int)
        X = rng.normal(size=(n, 6))
        X[:, 0] += 2.0 * y
        parts.append((X, y))
    path = fit_path(*parts[0], validation=parts[1], n_lambdas=20)
    best = max(accuracy for _, accuracy, _ in points(path))
    assert points(path)[0][1] >= best - 0.05
    chosen = points(path)[Sparsest().index(path)]
    assert chosen[0] == min(f for f, accuracy, _ in points(path) if f > 0)


@pytest.mark.parametrize("k", [0.5, 2, 5, 1000])
def test_features_per_class_is_the_best_with_so_few(path: Path, k: float) -> None:
    chosen = points(path)[FeaturesPerClass(k).index(path)]
    assert chosen[0] <= k
    assert chosen[1] == max(accuracy for f, accuracy, _ in points(path) if f <= k)


@pytest.mark.parametrize("q", [0, 50, 95, 100])
def test_percentile_of_the_range(path: Path, q: float) -> None:
    accuracies = [accuracy for _, accuracy, _ in points(path)]
    floor = min(accuracies) + (max(accuracies) - min(accuracies)) * q / 100
    chosen = points(path)[Percentile(q).index(path)]
    assert chosen[1] >= floor - 1e-12
    assert chosen[0] == min(f for f, accuracy, _ in points(path) if accuracy >= floor - 1e-12)


def test_a_point_that_is_not_optimal_is_passed_over(path: Path) -> None:
    index = Best().index(path)
    status = list(path.status)
    status[index] = "not converged: gap 1e-2"
    doubtful = replace(path, status=tuple(status))
    assert Best().index(doubtful) != index


def test_select_gives_the_layer_of_the_point(path: Path) -> None:
    X, _ = draw(2, 30, 4)
    index = Best().index(path)
    layer = path.select(Best())
    scores = X @ path.coef(index, original_scale=True).T + path.intercept(
        index, original_scale=True
    )
    np.testing.assert_allclose(layer.logits(X), scores, atol=1e-9)
    assert layer.certificate.gap == path.gaps[index] <= path.tol
    assert layer.class_names == path.class_names


def test_binomial_layer_is_mirrored_and_gives_the_logistic_probabilities() -> None:
    path = fit_path(*draw(3, 200, 2), n_lambdas=10)
    layer = DecisionLayer.from_path(path, 9)
    X, _ = draw(4, 20, 2)
    np.testing.assert_array_equal(layer.weight[0], -layer.weight[1])
    score = X @ path.coef(9, original_scale=True)[0] + path.intercept(9, original_scale=True)[0]
    np.testing.assert_allclose(layer.probabilities(X)[:, 1], 1 / (1 + np.exp(-score)), atol=1e-12)
    assert layer.features_per_class == path.features_per_class[9]


def test_rules_need_validation_accuracies() -> None:
    path = fit_path(*draw(3, 80, 2), n_lambdas=3)
    with pytest.raises(InputError, match="no validation accuracies"):
        path.select(Best())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("best", Best()),
        ("sparsest", Sparsest()),
        ("sparsest:0.02", Sparsest(0.02)),
        ("sparsest:2%", Sparsest(0.02, relative=True)),
        ("features:20", FeaturesPerClass(20)),
        ("percentile:95", Percentile(95)),
    ],
)
def test_rules_are_read_from_text(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule
    assert rule.describe()


@pytest.mark.parametrize(
    "text", ["", "bestest", "best:3", "features", "features:-1", "percentile:101", "sparsest:x"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_rule(text)


def test_no_features_at_all_is_the_empty_layer(path: Path) -> None:
    assert FeaturesPerClass(1e-9).index(path) == 0  # the empty layer
    with pytest.raises(InputError, match="above 0"):
        FeaturesPerClass(0)


def test_one_standard_error_of_a_share(path: Path) -> None:
    best = max(accuracy for _, accuracy, _ in points(path))
    floor = best - np.sqrt(best * (1 - best) / 150)
    fewest = min(f for f, accuracy, _ in points(path) if accuracy >= floor - 1e-12)
    assert points(path)[OneStandardError("accuracy").index(path)][0] == fewest
    with pytest.raises(InputError, match="cross_validate"):
        OneStandardError().index(path)
    with pytest.raises(InputError, match="loss or accuracy"):
        OneStandardError("auc")
    assert parse_rule("one-se") == OneStandardError("accuracy")
    assert "standard error" in OneStandardError().describe()
