"""Extraction: what is computed, reported, reused and refused."""

import time
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from clearhead.backbones import Backbone
from clearhead.data import Dataset, Shown, UnreadableExample
from clearhead.errors import (
    BackboneError,
    DataError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
    StorageError,
)
from clearhead.features import FeatureStore, extract
from clearhead.features.lock import locked
from clearhead.features.manifest import Manifest, describe
from clearhead.features.sealed import read_sealed, write_sealed

from .small import Letters, P, Prepare, files, network, texts


@dataclass(frozen=True, eq=False, repr=False)
class Holes(Dataset):
    """Texts, some of which cannot be read, are empty or are cut."""

    texts: tuple[str, ...]
    unreadable: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    longest: int | None = None

    modality = "text"

    @classmethod
    def of(cls, base, **holes):
        return cls(**{part.name: getattr(base, part.name) for part in fields(base)}, **holes)

    def load(self, i):
        if i in self.unreadable:
            raise UnreadableExample(self.ids[i], "it is torn")
        return " " if i in self.empty else self.texts[i][: self.longest]

    def show(self, i):
        return Shown(kind="text", text=self.texts[i])

    def take(self, rows):
        return self._take_common(rows, texts=tuple(self.texts[i] for i in rows))

    def _contents(self):
        return (text.encode() for text in self.texts)


def test_features_are_those_of_each_example_alone_in_the_order_of_the_data(tmp_path):
    backbone, data = network(), texts(50)
    store = extract(backbone, data, tmp_path, shard_rows=16)
    alone = torch.cat([backbone.features(backbone.prepare([data.load(i)])) for i in range(50)])
    np.testing.assert_allclose(store.matrix(), alone.numpy(), rtol=1e-5, atol=1e-6)
    assert store.row_id.tolist() == list(range(50))
    assert store.ids.tolist() == data.ids.tolist()
    assert store.split.tolist() == data.split.tolist()
    assert store.labels().tolist() == data.labels.tolist()
    assert store.metadata["length"].tolist() == data.metadata["length"].tolist()
    assert store.metadata["kind"].tolist() == data.metadata["kind"].tolist()
    assert store.class_names == data.class_names
    assert store.splits == ("train", "validation", "test")
    assert len(store.shards) == 4


def test_texts_of_alike_length_share_a_batch(tmp_path):
    backbone, data = network(), texts(200)
    store = extract(backbone, data, tmp_path)
    plan = store._manifest.plan()
    lengths = np.array([backbone.length(data.load(i)) for i in range(len(data))])
    waste = [np.ptp(lengths[plan.rows(*where)]) for where in plan.batches(0, 200)]
    assert np.mean(waste) < 4 < np.mean([np.ptp(lengths[i : i + 4]) for i in range(0, 200, 4)])
    assert sorted(plan.order) == list(range(200))


def test_the_head_is_kept_and_gives_the_networks_own_logits(tmp_path):
    backbone, data = network(), texts()
    store = extract(backbone, data, tmp_path)
    weight, bias, names = store.head
    assert names == ("bad", "good")
    batch = backbone.prepare([data.load(i) for i in range(50)])
    logits = functional.linear(*map(torch.from_numpy, (store.matrix(), weight, bias)))
    torch.testing.assert_close(logits, backbone.forward(batch), rtol=1e-4, atol=1e-5)


def test_the_networks_own_outputs_are_kept_in_the_order_of_the_data(tmp_path):
    backbone, data = network(), texts(50)
    store = extract(backbone, data, tmp_path, shard_rows=16)
    alone = torch.cat([backbone.forward(backbone.prepare([data.load(i)])) for i in range(50)])
    assert store.outputs().dtype == np.float32
    np.testing.assert_allclose(store.outputs(), alone.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(store.outputs("test"), store.outputs()[store.split == "test"])


def test_a_store_that_an_earlier_version_began_is_finished_without_outputs(tmp_path):
    backbone, data = network(), texts(50)
    whole = extract(backbone, data, tmp_path / "now", shard_rows=20)
    described = describe(tmp_path / "old", backbone, data)
    value = {key: kept for key, kept in described.value.items() if key != "n_outputs"}
    Manifest(described.folder, value).write(backbone, whole._manifest.plan())
    store = extract(backbone, data, tmp_path / "old")
    assert store.outputs() is None
    np.testing.assert_array_equal(store.matrix(), whole.matrix())
    assert FeatureStore.open(tmp_path / "old").outputs("train") is None


def test_an_encoder_has_no_head(tmp_path):
    prepare = Prepare()
    encoder = Backbone.from_module(
        Letters(), prepare=prepare, name="e", modality="text", example_batch=prepare(["a", "bc"]),
        encoder=True,
    )  # fmt: skip
    store = extract(encoder, texts(), tmp_path)
    assert store.head is None
    assert store.outputs() is None
    assert store.p == 2


def test_a_finished_store_is_reused_at_once(tmp_path):
    extract(network(), texts(), tmp_path)
    before, events = files(tmp_path), []
    store = extract(network(), texts(), tmp_path, batch_size=7, on_event=events.append)
    assert [event.kind for event in events] == ["skip", "warning"]
    assert files(tmp_path) == before
    assert store.n == 50


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    for name in "ab":
        extract(network(), texts(), tmp_path / name, shard_rows=20)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert set(files(tmp_path / "a")) == {
        "manifest.json", "head.safetensors", "order.safetensors",
        *(f"shard-0000{i}.{kind}" for i in range(3) for kind in ("arrow", "json")),
    }  # fmt: skip


def test_progress_tells_rate_and_time_left(tmp_path):
    events = []

    def listen(event):
        events.append(event)
        time.sleep(0)

    extract(network(), texts(), tmp_path, on_event=listen)
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["info", "start"]
    assert kinds.index("end") > kinds.index("progress")
    progress = next(event for event in events if event.kind == "progress")
    assert progress.total == 50
    assert "examples/s" in progress.message
    assert "left" in progress.message
    assert {event.step for event in events} == {"extract"}


def test_problems_are_counted_and_reported_once_a_kind(tmp_path):
    data, events = Holes.of(texts(), unreadable=[3, 17, 44], empty=[5]), []
    store = extract(network(), data, tmp_path, on_event=events.append, shard_rows=12)
    n_long = sum(len(texts().load(i)) > 60 for i in set(range(50)) - {3, 5, 17, 44})
    problems = {problem.kind: problem for problem in store.problems}
    assert {kind: problem.count for kind, problem in problems.items()} == {
        "unreadable": 3, "empty": 1, "truncated": n_long,
    }  # fmt: skip
    assert problems["empty"].first == ("s5",)
    assert "s3 (it is torn)" in problems["unreadable"].message
    assert [one.row_id for one in store.skipped] == [3, 17, 44]
    warnings = [event for event in events if event.kind == "warning"]
    assert sorted(event.data["kind"] for event in warnings) == ["empty", "truncated", "unreadable"]
    assert store.n == 47
    assert store.row_id.tolist() == [i for i in range(50) if i not in (3, 17, 44)]
    assert store.labels().tolist() == data.labels[store.row_id].tolist()
    again = FeatureStore.open(tmp_path)
    assert again.problems == store.problems


@pytest.mark.parametrize(
    ("holes", "said"),
    [
        ({"unreadable": [7], "longest": 60}, "'s7'.*could not be read: it is torn"),
        ({"empty": [7], "longest": 60}, "'s7'.*empty text"),
        ({}, "longer than letters takes"),
    ],
)
def test_strict_makes_them_errors_on_the_first_and_on_a_later_run(tmp_path, holes, said):
    with pytest.raises(DataError, match=said):
        extract(network(), Holes.of(texts(), **holes), tmp_path, strict=True)
    extract(network(), Holes.of(texts(), **holes), tmp_path)
    with pytest.raises(DataError, match="strict"):
        extract(network(), Holes.of(texts(), **holes), tmp_path, strict=True)


def test_when_nothing_can_be_read_it_is_an_error(tmp_path):
    with pytest.raises(DataError, match="No example of small could be read"):
        extract(network(), Holes.of(texts(), unreadable=tuple(range(50))), tmp_path)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (lambda data: data.split == "validation", "No example of the validation split"),
        (lambda data: (data.split == "train") & (data.labels == 1), "No training example of the"),
    ],
)
def test_a_split_or_a_class_of_which_nothing_can_be_read_is_an_error(tmp_path, lost, said):
    holes = tuple(np.flatnonzero(lost(texts())).tolist())
    with pytest.raises(DataError, match=f"{said}.*could be read.*it is torn.*Mend"):
        extract(network(), Holes.of(texts(), unreadable=holes), tmp_path)


def test_a_shard_of_only_unreadable_examples_is_fine(tmp_path):
    store = extract(
        network(), Holes.of(texts(), unreadable=tuple(range(8))), tmp_path, shard_rows=8
    )
    assert store.shards[0].rows == 0
    assert store.matrix().shape == (42, P)
    assert store.metadata.shape == (42, 2)
    assert sum(len(block) for block in store.rows("train").blocks()) == len(store.matrix("train"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_name_example_and_feature(tmp_path, value):
    class Broken(Letters):
        def forward(self, letters, mask):
            hidden = torch.tanh(self.body(self.embedding(letters).mean(1)))
            hidden = hidden.clone()
            hidden[(letters == ord("#")).any(1), 5] = value
            return self.fc(hidden)

    prepare = Prepare()
    backbone = Backbone.from_module(
        Broken(), prepare=prepare, name="broken", modality="text",
        example_batch=prepare(["a", "bc"]), batch_size=4,
    )  # fmt: skip
    base = texts()
    data = replace(base, texts=(*base.texts[:20], "#", *base.texts[21:]))
    with pytest.raises(BackboneError, match=f"{value} in feature 5 of example 's20' .row 20."):
        extract(backbone, data, tmp_path)


def test_another_network_or_other_data_is_refused_and_named(tmp_path):
    extract(network(), texts(), tmp_path)
    before = files(tmp_path)
    with pytest.raises(
        FingerprintMismatchError, match=r"differs: the weights of the network.*--out"
    ):
        extract(network(seed=1), texts(), tmp_path)
    with pytest.raises(FingerprintMismatchError, match=r"differs: the data .*--force"):
        extract(network(), texts(seed=1), tmp_path)
    assert files(tmp_path) == before
    store = extract(network(seed=1), texts(), tmp_path, force=True)
    assert store.fingerprints["weights"] == network(seed=1).fingerprints["weights"]


def test_a_newer_schema_is_refused(tmp_path):
    extract(network(), texts(), tmp_path)
    value = read_sealed(tmp_path / "manifest.json")
    write_sealed(tmp_path / "manifest.json", {**value, "schema": 99})
    with pytest.raises(SchemaVersionError, match="newer clearhead"):
        FeatureStore.open(tmp_path)
    with pytest.raises(SchemaVersionError):
        extract(network(), texts(), tmp_path)


def test_arguments_are_checked(tmp_path):
    picture_network = replace(network(), modality="image")
    with pytest.raises(InputError, match="takes images, but small holds texts"):
        extract(picture_network, texts(), tmp_path)
    with pytest.raises(InputError, match="batch_size=0"):
        extract(network(), texts(), tmp_path, batch_size=0)


def test_one_process_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(StorageError, match=r"another process \(pid \d+\)"):
        extract(network(), texts(), tmp_path)
    (tmp_path / "lock").write_text("1\n")  # left behind by a process that was killed
    extract(network(), texts(), tmp_path)
    assert not (tmp_path / "lock").exists()


def test_the_number_of_threads_is_the_planned_one_and_put_back(tmp_path):
    before = torch.get_num_threads()
    seen = []
    data = texts()
    extract(network(), data, tmp_path)
    for path in tmp_path.glob("shard-*"):
        path.unlink()
    value = read_sealed(tmp_path / "manifest.json")
    value["plan"]["threads"] = before + 1
    write_sealed(tmp_path / "manifest.json", value)
    extract(network(), data, tmp_path, on_event=lambda _: seen.append(torch.get_num_threads()))
    assert seen[0] == before + 1
    assert torch.get_num_threads() == before
