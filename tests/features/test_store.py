"""The file format, and damage to it."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhead.errors import CorruptFileError, InputError, StepMissingError
from clearhead.features import FeatureStore, extract
from clearhead.features.problems import ProblemLog
from clearhead.features.shard import Columns, Rows, read_shard, write_shard

from .small import P, files, network, texts

PRINTS = {"weights": "w", "data": "d"}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_shard_gives_back_what_was_written(tmp_path_factory, data):
    n = data.draw(st.integers(1, 12))
    p = data.draw(st.integers(1, 5))
    some_text = st.text(st.characters(), max_size=6)  # lone surrogates and NULs among them
    ids = data.draw(st.lists(some_text, min_size=n, max_size=n))
    kind = data.draw(
        st.sampled_from([some_text, st.integers(-9, 9), st.floats(allow_nan=False), st.booleans(),
                         st.one_of(st.none(), some_text), st.one_of(st.integers(0, 9), some_text)])
    )  # fmt: skip
    column = data.draw(st.lists(kind, min_size=n, max_size=n))
    features = data.draw(
        st.lists(st.floats(width=32), min_size=n * p, max_size=n * p).map(
            lambda values: np.array(values, dtype=np.float32).reshape(n, p)
        )
    )
    outputs = features[:, ::-1] * 2 if data.draw(st.booleans()) else None
    rows = Rows(np.arange(n), features, outputs)
    columns = Columns(
        np.array(ids, dtype=object), np.arange(n), np.array(["train"] * n, dtype=object),
        pd.DataFrame({"c": pd.Series(column, dtype=object)}),
    )  # fmt: skip
    log = ProblemLog()
    for i in range(n):
        log.count("truncated", i, ids[i])
    log.skip(n, ids[0], "why")
    path = tmp_path_factory.mktemp("shard") / "shard.arrow"
    write_shard(path, columns.batch(rows), start=0, stop=n + 1, problems=log,
                fingerprints=PRINTS)  # fmt: skip
    shard = read_shard(path, PRINTS)
    assert (shard.start, shard.stop, shard.rows) == (0, n + 1, n)
    assert shard.problems.to_json() == log.to_json()
    batch = shard.batch()
    read = Rows.of(batch)
    assert read.features.tobytes() == features.tobytes()
    if outputs is None:
        assert read.outputs is None
    else:
        assert read.outputs.tobytes() == outputs.tobytes()
    assert batch.column("row_id").to_pylist() == list(range(n))
    assert batch.column("label").to_pylist() == list(range(n))
    stored = batch.column("id").to_pylist()
    assert stored == [one.encode("utf-8", "backslashreplace").decode() for one in ids]
    assert len(batch.column("meta.c")) == n


def test_the_file_is_one_arrow_record_batch_with_the_documented_columns(tmp_path):
    extract(network(), texts(), tmp_path)
    with pa.memory_map(str(tmp_path / "shard-00000.arrow")) as source:
        file = pa.ipc.open_file(source)
        assert file.num_record_batches == 1
        assert file.schema == pa.schema(
            [
                ("row_id", pa.int64()), ("id", pa.string()), ("label", pa.int32()),
                ("split", pa.string()), ("meta.length", pa.int64()), ("meta.kind", pa.string()),
                ("features", pa.list_(pa.float32(), P)), ("outputs", pa.list_(pa.float32(), 2)),
            ]
        )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    extract(network(), texts(), tmp_path, shard_rows=20)
    return tmp_path


def damage(folder, kind):
    path = folder / "shard-00001.arrow"
    if kind == "flipped byte":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif kind == "cut short":
        os.truncate(path, path.stat().st_size - 100)
    elif kind == "grown":
        path.write_bytes(path.read_bytes() + b"\0")
    elif kind == "file gone":
        path.unlink()
    elif kind == "sidecar gone":
        path.with_suffix(".json").unlink()
    elif kind == "sidecar changed":
        sidecar = path.with_suffix(".json")
        sidecar.write_text(sidecar.read_text().replace('"rows": 20', '"rows": 19'))
    elif kind == "sidecar cut short":
        sidecar = path.with_suffix(".json")
        os.truncate(sidecar, 40)
    else:
        raise AssertionError(kind)


DAMAGES = [
    "flipped byte", "cut short", "grown", "file gone", "sidecar gone", "sidecar changed",
    "sidecar cut short",
]  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_found_named_and_repaired_with_the_same_bytes(folder, kind):
    before = files(folder)
    damage(folder, kind)
    with pytest.raises(CorruptFileError, match=r"1 of 3 shards.*shard-00001\.arrow.*--repair"):
        FeatureStore.open(folder)
    others = {name: (folder / name).stat().st_ino for name in before if "00001" not in name}
    if kind != "sidecar gone":  # a shard without a sidecar counts as not finished
        with pytest.raises(CorruptFileError, match="--repair"):
            extract(network(), texts(), folder)
    extract(network(), texts(), folder, repair=True)
    assert files(folder) == before
    assert {name: (folder / name).stat().st_ino for name in others} == others


@pytest.mark.parametrize("name", ["manifest.json", "head.safetensors", "order.safetensors"])
@pytest.mark.parametrize("how", ["flip", "delete"])
def test_damage_to_what_is_beside_the_shards(folder, name, how):
    before = files(folder)
    path = folder / name
    if how == "delete":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        path.write_bytes(data)
    if name != "order.safetensors":  # which is needed for extraction only
        with pytest.raises((CorruptFileError, StepMissingError)):
            FeatureStore.open(folder)
    extract(network(), texts(), folder, repair=True, shard_rows=20)
    assert files(folder) == before


def test_a_cut_file_is_found_without_checksums_too(folder):
    damage(folder, "cut short")
    with pytest.raises(CorruptFileError):
        FeatureStore.open(folder, verify=False)


def test_no_store_at_all(tmp_path):
    with pytest.raises(StepMissingError, match="clearhead extract"):
        FeatureStore.open(tmp_path)


@pytest.mark.parametrize("block_rows", [1, 7, 100])
@pytest.mark.parametrize("split", [None, "train", "validation", "test"])
def test_blocks_are_the_matrix(folder, split, block_rows):
    store = FeatureStore.open(folder)
    rows, matrix = store.rows(split, block_rows=block_rows), store.matrix(split)
    blocks = list(rows.blocks())
    assert rows.shape == matrix.shape == (len(store.labels(split)), P)
    assert max(len(block) for block in blocks) <= block_rows
    assert np.array_equal(np.concatenate(blocks), matrix)
    if split is not None:
        assert np.array_equal(matrix, store.matrix()[store.split == split])


def test_an_unknown_split_is_refused(folder):
    with pytest.raises(InputError, match="split='val' is not one of train, validation, test"):
        FeatureStore.open(folder).matrix("val")


def test_closing_lets_go_and_reading_opens_again(folder):
    with FeatureStore.open(folder) as store:
        first = store.matrix()
    assert not store._mapped
    assert np.array_equal(store.matrix(), first)


def test_a_store_shows_itself(folder):
    store = FeatureStore.open(folder)
    assert "50 × 8 float32" in repr(store)
    page = store._repr_html_()
    assert "letters" in page
    assert "truncated" in page
