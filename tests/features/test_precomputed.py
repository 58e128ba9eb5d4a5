"""Features that were computed elsewhere, in every kind of file."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import clearhead
from clearhead import PrecomputedFeatures, read_features
from clearhead.errors import DataError, FingerprintMismatchError, InputError
from clearhead.features import FeatureStore, keep_features

from .small import files, texts

N, P = 60, 5


def arrays(n=N, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    y[:6] = [0, 1, 0, 1, 0, 1]
    X = random.normal(size=(n, P)).astype(np.float32) + y[:, None] * np.array([2, 0, 0, 0, -1.0])
    split = np.array(["train", "validation", "test"])[np.arange(n) // 2 % 3]
    return X.astype(np.float32), y, split


def write(folder, kind):
    X, y, split = arrays()
    names = np.array(["no", "yes"])
    if kind == "npz":
        path = folder / "f.npz"
        np.savez(path, features=X, labels=y, split=split, class_names=names, outputs=X[:, :2])
        return path
    if kind == "npz, X and y":
        path = folder / "f.npz"
        np.savez_compressed(path, X=X.astype(np.float64), y=names[y], split=split, logits=X[:, :2])
        return path
    columns = {"label": names[y], "split": split, "source": ["web", None] * (N // 2)}
    if kind == "parquet, lists":
        columns |= {"features": list(X), "outputs": list(X[:, :2])}
        path = folder / "f.parquet"
        parquet.write_table(pa.table(columns), path)
        return path
    if kind == "arrow, wide":
        columns |= {f"f{j}": X[:, j] for j in range(P)}
        path = folder / "f.arrow"
        feather.write_feather(pa.table(columns), path, compression="uncompressed")
        return path
    raise AssertionError(kind)


KINDS = ["npz", "npz, X and y", "parquet, lists", "arrow, wide"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_gives_the_same_store(tmp_path, kind):
    X, y, split = arrays()
    found = read_features(write(tmp_path, kind))
    store = keep_features(found, found.dataset(), tmp_path / "store", shard_rows=25)
    assert len(store.shards) == 3
    np.testing.assert_array_equal(store.matrix(), X)
    np.testing.assert_array_equal(store.matrix("test"), X[split == "test"])
    np.testing.assert_array_equal(store.labels(), y)
    assert store.class_names == ("no", "yes")
    assert store.split.tolist() == split.tolist()
    assert store.ids[0] == "row 0"
    if kind != "arrow, wide":
        np.testing.assert_array_equal(store.outputs(), X[:, :2])
    if not kind.startswith("npz"):
        assert store.metadata["source"].fillna("-").tolist()[:2] == ["web", "-"]
    assert store.backbone_name == found.name


def test_a_store_of_clearhead_is_such_a_file(tmp_path):
    found = read_features(write(tmp_path, "parquet, lists"))
    store = keep_features(found, found.dataset(), tmp_path / "one")
    again = read_features(store.shards[0].path)
    copied = keep_features(
        PrecomputedFeatures(again.features, np.array(store.class_names)[again.labels],
                            split=again.split, ids=again.ids, metadata=again.metadata),
        again.dataset(), tmp_path / "two",
    )  # fmt: skip
    np.testing.assert_array_equal(copied.matrix(), store.matrix())
    np.testing.assert_array_equal(copied.labels(), store.labels())
    assert copied.ids.tolist() == store.ids.tolist()
    pd.testing.assert_frame_equal(copied.metadata, store.metadata)


def test_a_finished_store_is_reused_and_another_is_refused(tmp_path):
    found = read_features(write(tmp_path, "npz"))
    keep_features(found, found.dataset(), tmp_path / "store")
    before, events = files(tmp_path / "store"), []
    keep_features(found, found.dataset(), tmp_path / "store", on_event=events.append)
    assert [event.kind for event in events] == ["skip"]
    assert files(tmp_path / "store") == before
    X, y, split = arrays(seed=1)
    other = PrecomputedFeatures(X, y, split)
    with pytest.raises(FingerprintMismatchError, match="weights"):
        keep_features(other, other.dataset(), tmp_path / "store")
    keep_features(other, other.dataset(), tmp_path / "store", force=True)
    np.testing.assert_array_equal(FeatureStore.open(tmp_path / "store").matrix(), X)


def test_beside_data_rows_find_their_examples_by_id_or_by_order(tmp_path):
    data = texts(50)
    X = np.arange(100, dtype=np.float32).reshape(50, 2)
    by_order = keep_features(PrecomputedFeatures(X), data, tmp_path / "a")
    np.testing.assert_array_equal(by_order.matrix(), X)
    assert by_order.labels().tolist() == data.labels.tolist()
    mixed = np.random.default_rng(0).permutation(50)
    more = PrecomputedFeatures(
        np.concatenate([X[mixed], X[:3] + 1]), ids=[*data.ids[mixed], "x", "y", "z"]
    )
    np.testing.assert_array_equal(keep_features(more, data, tmp_path / "b").matrix(), X)
    with pytest.raises(DataError, match="has 49 rows and small 50 examples"):
        keep_features(PrecomputedFeatures(X[:49]), data, tmp_path / "c")
    with pytest.raises(DataError, match="no row for the example 's49'"):
        keep_features(PrecomputedFeatures(X[:49], ids=data.ids[:49]), data, tmp_path / "d")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": np.zeros((N, P, 2))}, r"features has the shape \(60, 5, 2\)"),
        ({"features": np.zeros((0, P))}, "shape"),
        ({"features": np.array([["a"]])}, "must be numbers"),
        ({"features": np.full((N, P), np.inf)}, "holds inf in row 0, column 0"),
        ({"labels": [0, 1]}, "labels has 2 rows and features 60"),
        ({"split": ["train"] * 59}, "split has 59 rows"),
        ({"outputs": np.full((N, 2), np.nan)}, "outputs holds nan"),
        ({"head": (np.zeros((2, P + 1)), np.zeros(2))}, r"weight \(2, 6\)"),
    ],
)
def test_parts_that_do_not_fit_are_named(change, said):
    X, y, split = arrays()
    with pytest.raises(DataError, match=said):
        PrecomputedFeatures(**{"features": X, "labels": y, "split": split, **change})


def test_a_label_outside_the_classes_is_named():
    X, y, split = arrays()
    y[7] = 5
    with pytest.raises(DataError, match="the label 5 is outside the 2 class_names"):
        PrecomputedFeatures(X, y, split, class_names=("a", "b")).dataset()


def test_files_that_are_none(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK no zip")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    np.savez(tmp_path / "odd.npz", numbers=np.zeros(3))
    np.savez(tmp_path / "objects.npz", features=np.array([{}], dtype=object))
    ragged = pa.table({"features": [[1.0, 2.0], [1.0]], "label": ["a", "b"]})
    parquet.write_table(ragged, tmp_path / "ragged.parquet")
    for name, said in [
        ("bad.npz", "cannot be read as features"),
        ("bad.parquet", "cannot be read as features"),
        ("odd.npz", "has no features: it holds numbers"),
        ("objects.npz", "cannot be read as features"),
        ("ragged.parquet", "not all of one length"),
        ("none.npz", "is not a file"),
    ]:
        with pytest.raises(DataError, match=said):
            read_features(tmp_path / name)


def test_a_run_from_a_file_alone_and_opened_again(tmp_path):
    path = write(tmp_path, "npz")
    run = clearhead.new_run(tmp_path / "run", path)
    report = run.all(n_lambdas=10)
    assert report.is_file()
    assert run.layer().n_classes == 2
    again = clearhead.open_run(tmp_path / "run")
    assert again.dataset.fingerprint() == run.dataset.fingerprint()
    assert again.dataset.show(3).text == "row 3"
    with pytest.raises(InputError, match="there is no network in it"):
        again.backbone  # noqa: B018
    X, y, split = arrays(seed=1)
    np.savez(path, features=X, labels=y, split=split, class_names=np.array(["no", "yes"]))
    with pytest.raises(FingerprintMismatchError, match="weights"):
        clearhead.new_run(tmp_path / "run", path)


def test_a_run_of_arrays_beside_texts(tmp_path):
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(N)], "label": arrays()[1]})
    frame.to_csv(tmp_path / "data.csv", index=False)
    np.save(tmp_path / "f.npy", arrays()[0])
    run = clearhead.new_run(tmp_path / "run", tmp_path / "f.npy", tmp_path / "data.csv")
    assert run.extract().n == N
    assert run.dataset.load(2) == "text 2"
    with pytest.raises(InputError, match="limit: for data"):
        clearhead.new_run(tmp_path / "other", write(tmp_path, "npz"), limit=10)
    with pytest.raises(InputError, match="layer"):
        clearhead.new_run(tmp_path / "o", write(tmp_path, "npz"), model_options={"layer": "fc"})
    with pytest.raises(DataError, match="has no labels"):
        clearhead.new_run(tmp_path / "o", tmp_path / "f.npy")
