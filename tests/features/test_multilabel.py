"""Several labels an example: through the store, to the path and to a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import clearhead
from clearhead.data import Dataset, open_dataset
from clearhead.errors import DataError
from clearhead.features import FeatureStore, extract
from tests.features.small import WORDS, network

N = 90
NAMES = ["bad", "dull", "film"]


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 6)) + f" {i}" for i in range(N)]
    flags = {name: [int(name in text.split()) for text in texts] for name in NAMES}
    return pd.DataFrame({"text": texts, **flags, "author": [f"a{i % 30}" for i in range(N)]})


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset(frame(), label_column=NAMES, group_column="author")


@pytest.fixture(scope="module")
def store(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return extract(network(), dataset, tmp_path_factory.mktemp("store"), shard_rows=40)


def test_the_store_keeps_the_labels(store: FeatureStore, dataset: Dataset) -> None:
    again = FeatureStore.open(store.path)
    assert again.multilabel
    assert again.class_names == tuple(NAMES)
    assert again.labels().dtype == np.int8
    assert np.array_equal(again.labels(), dataset.labels)
    for split in dataset.splits:
        assert np.array_equal(again.labels(split), dataset.labels[dataset.indices(split)])


def test_a_path_of_the_store_is_of_the_family_for_labels(store: FeatureStore) -> None:
    path = clearhead.fit_path(store, n_lambdas=4, lambda_min_ratio=0.1)
    assert path.family == "multilabel"
    assert path.class_names == tuple(NAMES)
    assert path.optimal.all()
    same = clearhead.fit_path(
        store.matrix("train"),
        store.labels("train"),
        family="multilabel",
        n_lambdas=4,
        lambda_min_ratio=0.1,
    )
    np.testing.assert_allclose(path.coef(3), same.coef(3), atol=1e-6)
    with pytest.raises(DataError, match="family='multilabel'"):
        clearhead.fit_path(store, family="multinomial")


def test_a_label_without_a_training_example_is_named(dataset: Dataset, tmp_path: Path) -> None:
    labels = dataset.labels.copy()
    labels[dataset.indices("train"), 1] = 0  # as if every such example were unreadable
    with pytest.raises(DataError, match="No training example of the label 'dull'"):
        extract(network(), replace(dataset, labels=labels), tmp_path)


def test_a_run_asks_for_one_label(dataset: Dataset, tmp_path: Path) -> None:
    message = r"has 3 labels: bad, dull, film\. .* choose one with label='bad' \(--label\)"
    with pytest.raises(DataError, match=message):
        clearhead.new_run(tmp_path / "a", network(), dataset)
    with pytest.raises(DataError, match=message):
        clearhead.new_run(tmp_path / "a", network(), frame(), label_column=NAMES)
    assert not (tmp_path / "a").exists()
    run = clearhead.new_run(tmp_path / "a", network(), frame(), label_column=NAMES, label="dull")
    store = run.extract()
    assert store.class_names == ("not dull", "dull")
    assert store.labels().tolist() == frame()["dull"].tolist()
    assert run.file.data["spec"] is None  # an object cannot be opened again by name
    same = clearhead.new_run(tmp_path / "a", network(), frame(), label_column=NAMES, label="dull")
    assert "extract" in same.file.steps
