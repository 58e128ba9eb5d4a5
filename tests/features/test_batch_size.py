"""The batch size that is found, kept, and halved where memory runs out."""

import json
import time

import numpy as np
import pytest
import torch

from clearhead.backbones import Backbone
from clearhead.errors import BackboneError, InputError
from clearhead.features import batch_size, extract
from clearhead.features.batch_size import find_batch_size

from .small import Letters, Prepare, files, network, texts


class Slow(Letters):
    """Takes some time a batch whatever its size, more from 16 on; has memory for `most`."""

    def __init__(self, most=10**9, pause=0.004):
        super().__init__()
        self.pause = pause
        self.most = most
        self.sizes = []

    def forward(self, letters, mask):
        n = len(letters)
        self.sizes.append(n)
        if n > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        time.sleep(self.pause * max(1, n / 16))
        return super().forward(letters, mask)


def slow(**options) -> Backbone:
    torch.manual_seed(0)
    prepare = Prepare()
    return Backbone.from_module(
        Slow(**options).eval(), prepare=prepare, name="slow", modality="text",
        example_batch=prepare(["good film", "bad"]),
    )  # fmt: skip


def test_it_grows_until_it_gains_no_more(monkeypatch):
    backbone = slow(pause=0.0)

    def seconds(compute):  # a clock that a busy machine does not disturb
        compute()
        return 0.01 * max(1, backbone.module.sizes[-1] / 16)

    monkeypatch.setattr(batch_size, "_seconds", seconds)
    size, rate = find_batch_size(backbone, texts(300))
    assert size == 16
    assert rate == pytest.approx(1600)
    assert max(backbone.module.sizes) == 64


def test_it_stops_where_memory_ends():
    backbone = slow(most=6)
    assert find_batch_size(backbone, texts(300))[0] == 4
    assert max(backbone.module.sizes) == 8
    with pytest.raises(BackboneError, match=r"not enough memory on cpu for one example.*bfloat16"):
        find_batch_size(slow_for_none(), texts(300))


def slow_for_none():
    backbone = slow()
    backbone.module.most = 0
    return backbone


def test_the_longest_examples_are_tried_first():
    lengths = np.array([len(text) for text in texts(300).texts])
    backbone = slow()
    seen = []
    backbone.module.register_forward_pre_hook(
        lambda _, __, kwargs: seen.append(kwargs["letters"].shape[1]), with_kwargs=True
    )
    find_batch_size(backbone, texts(300), lengths)
    assert set(seen) == {min(lengths.max(), 60)}


def test_what_was_found_is_kept_so_that_going_on_gives_the_same_bytes(tmp_path):
    events = []
    extract(slow(), texts(), tmp_path / "a", batch_size="auto", on_event=events.append)
    assert any(event.message.startswith("batches of ") for event in events)
    size = json.loads((tmp_path / "a" / "manifest.json").read_text())["plan"]["batch_size"]
    # begun with that size, then gone on with "auto"
    begun = tmp_path / "b"
    extract(slow(), texts(), begun, batch_size=size)
    whole = files(begun)
    for path in begun.glob("shard-*"):
        path.unlink()
    backbone = slow()
    opened = len(backbone.module.sizes)
    extract(backbone, texts(), begun, batch_size="auto")
    assert files(begun) == whole == files(tmp_path / "a")
    assert set(backbone.module.sizes[opened:]) <= {size, 50 % size}


def test_where_memory_runs_out_a_batch_is_computed_in_halves(tmp_path):
    whole = extract(slow(), texts(), tmp_path / "a", batch_size=16)
    events = []
    store = extract(slow(most=5), texts(), tmp_path / "b", batch_size=16, on_event=events.append)
    np.testing.assert_allclose(store.matrix(), whole.matrix(), atol=1e-6)
    np.testing.assert_allclose(store.outputs(), whole.outputs(), atol=1e-6)
    said = [event.message for event in events if event.kind == "warning"]
    assert any("not enough memory on cpu for 16 examples at once" in message for message in said)
    failing = slow(most=5)
    failing.module.most = 0
    with pytest.raises(torch.OutOfMemoryError):
        extract(failing, texts(), tmp_path / "c", batch_size=16)


def test_without_a_wish_a_cpu_takes_the_networks_own_size(tmp_path):
    extract(network(), texts(), tmp_path)
    plan = json.loads((tmp_path / "manifest.json").read_text())["plan"]
    assert (plan["batch_size"], plan["device"]) == (4, "cpu")


@pytest.mark.parametrize("wish", [0, "fast", 2.5])
def test_a_wrong_wish_is_named(tmp_path, wish):
    with pytest.raises(InputError, match="it must be 'auto' or at least 1"):
        extract(network(), texts(), tmp_path, batch_size=wish)


def test_precision_is_part_of_what_a_store_was_made_from(tmp_path):
    from clearhead.errors import FingerprintMismatchError

    half = network().to("cpu", "bfloat16")
    store = extract(half, texts(), tmp_path)
    assert store.fingerprints["precision"] == "bfloat16"
    full = extract(network(), texts(), tmp_path / "full")
    assert 0 < np.abs(store.matrix() - full.matrix()).max() < 0.05
    weight, bias, _ = store.head
    np.testing.assert_allclose(store.outputs(), store.matrix() @ weight.T + bias, atol=1e-5)
    with pytest.raises(FingerprintMismatchError, match="precision that the network computes in"):
        extract(network(), texts(), tmp_path)
