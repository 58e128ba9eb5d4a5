"""Networks in ONNX files: split in the graph, proven against the whole file."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError, SplitError

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

N, P, C = "n", 6, 3


def initializers(seed=0, **shapes):
    random = np.random.default_rng(seed)
    return [
        numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]


def saved(path, nodes, weights, inputs=None, outputs=("logits",)):
    inputs = inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, [N, 3, 8, 8])]
    graph = helper.make_graph(
        nodes, "g", inputs, [helper.make_empty_tensor_value_info(name) for name in outputs],
        initializer=weights,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


BODY = [
    helper.make_node("Conv", ["x", "conv"], ["c"], name="conv"),
    helper.make_node("Relu", ["c"], ["r"], name="relu"),
    helper.make_node("GlobalAveragePool", ["r"], ["p"], name="pool"),
]
FLAT = helper.make_node("Flatten", ["p"], ["f"], name="flat")
HEADS = {
    "Gemm": (
        [FLAT, helper.make_node("Gemm", ["f", "w", "b"], ["logits"], name="fc", transB=1)],
        {"w": (C, P), "b": (C,)},
    ),
    "Gemm, factors": (
        [FLAT, helper.make_node("Gemm", ["f", "w", "b"], ["logits"], alpha=0.5, beta=2.0)],
        {"w": (P, C), "b": (C,)},
    ),
    "MatMul and Add": (
        [FLAT, helper.make_node("MatMul", ["f", "w"], ["m"], name="product"),
         helper.make_node("Add", ["b", "m"], ["logits"], name="fc")],
        {"w": (P, C), "b": (C,)},
    ),
    "MatMul": (
        [FLAT, helper.make_node("MatMul", ["f", "w"], ["logits"], name="fc")],
        {"w": (P, C)},
    ),
    "transposed": (
        [FLAT, helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]),
         helper.make_node("MatMul", ["f", "wt"], ["m"]),
         helper.make_node("Add", ["m", "b"], ["a"]),
         helper.make_node("Identity", ["a"], ["logits"])],
        {"w": (C, P), "b": (C,)},
    ),
    "convolution": (
        [helper.make_node("Conv", ["p", "w", "b"], ["z"], name="fc"),
         helper.make_node("Flatten", ["z"], ["logits"])],
        {"w": (C, P, 1, 1), "b": (C,)},
    ),
}  # fmt: skip


def make(path, head="Gemm", **options):
    nodes, shapes = HEADS[head]
    return saved(path, [*BODY, *nodes], initializers(conv=(P, 3, 3, 3), **shapes), **options)


def pictures(n=5):
    pixels = np.random.default_rng(1).integers(0, 256, (n, 12, 14, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in pixels]


def alone(path, batch):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch.args[0].numpy()})[0]


@pytest.mark.parametrize("head", HEADS)
def test_head_on_features_is_the_file(tmp_path, head):
    path = make(tmp_path / "net.onnx", head)
    backbone = open_backbone(path)
    assert (backbone.n_features, backbone.n_outputs, backbone.name) == (P, C, "net.onnx")
    batch = backbone.prepare(pictures())
    assert batch.args[0].shape == (5, 3, 8, 8)  # the size is the file's own
    weight, bias = backbone.head
    wanted = alone(path, batch)
    np.testing.assert_allclose(backbone.features(batch) @ weight.T + bias, wanted, atol=1e-5)
    np.testing.assert_allclose(backbone.forward(batch), wanted, atol=1e-5)


def test_a_replaced_head_decides_on_the_same_features(tmp_path):
    backbone = open_backbone(make(tmp_path / "net.onnx"))
    linear = nn.Linear(P, 2)
    batch = backbone.prepare(pictures())
    network = backbone.replace_head(linear)
    torch.testing.assert_close(network(*batch.args), linear(backbone.features(batch)))
    again = copy.deepcopy(backbone.module)
    torch.testing.assert_close(again(*batch.args), backbone.module(*batch.args))


def test_a_fixed_number_of_rows_is_filled_up(tmp_path):
    fixed = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 8, 8])]
    one = open_backbone(make(tmp_path / "fixed.onnx", inputs=fixed))
    free = open_backbone(make(tmp_path / "free.onnx"))
    batch = free.prepare(pictures())
    torch.testing.assert_close(one.forward(batch), free.forward(batch))


def test_channels_last(tmp_path):
    nodes, shapes = HEADS["Gemm"]
    turned = helper.make_node("Transpose", ["image"], ["x"], perm=[0, 3, 1, 2])
    path = saved(
        tmp_path / "nhwc.onnx", [turned, *BODY, *nodes], initializers(conv=(P, 3, 3, 3), **shapes),
        inputs=[helper.make_tensor_value_info("image", TensorProto.FLOAT, [N, 8, 8, 3])],
    )  # fmt: skip
    last, first = open_backbone(path), open_backbone(make(tmp_path / "net.onnx"))
    given = [backbone.forward(backbone.prepare(pictures())) for backbone in (last, first)]
    torch.testing.assert_close(*given)
    assert last.fingerprints["preprocessing"] != first.fingerprints["preprocessing"]


def test_a_softmax_behind_the_layer_is_refused_until_it_is_named(tmp_path):
    nodes, shapes = HEADS["Gemm"]
    end = helper.make_node("Softmax", ["logits"], ["probabilities"], name="end")
    path = saved(tmp_path / "soft.onnx", [*BODY, *nodes, end],
                 initializers(conv=(P, 3, 3, 3), **shapes), outputs=("probabilities",))  # fmt: skip
    with pytest.raises(SplitError, match=r"Softmax 'end', right after .* 'fc': layer='fc'"):
        open_backbone(path)
    backbone = open_backbone(path, layer="fc")
    batch = backbone.prepare(pictures())
    np.testing.assert_allclose(backbone.forward(batch).softmax(1), alone(path, batch), atol=1e-5)
    with pytest.raises(SplitError, match=r"layer='pool' is no linear layer.*'fc'"):
        open_backbone(path, layer="pool")


def test_fingerprints_follow_the_whole_file(tmp_path):
    one, same = (open_backbone(make(tmp_path / f"{name}.onnx")) for name in "ab")
    assert one.fingerprints == same.fingerprints
    nodes, shapes = HEADS["Gemm"]
    other = saved(tmp_path / "c.onnx", [*BODY, *nodes],
                  [*initializers(1, conv=(P, 3, 3, 3)), *initializers(**shapes)])  # fmt: skip
    assert open_backbone(other).fingerprints["weights"] != one.fingerprints["weights"]


def test_texts_through_the_tokenizer_beside_the_file(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[PAD]": 0, "[UNK]": 1, "good": 2, "bad": 3, "film": 4}
    tokenizer = Tokenizer(models.WordLevel(words, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(tmp_path)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["e"], name="embed"),
        helper.make_node("Cast", ["attention_mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["m", "last"], ["mm"]),
        helper.make_node("Mul", ["e", "mm"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["f"], keepdims=0),
        helper.make_node("Gemm", ["f", "w", "b"], ["logits"], name="fc"),
    ]
    weights = initializers(table=(5, P), w=(P, C), b=(C,))
    weights += [numpy_helper.from_array(np.array([2]), "last"),
                numpy_helper.from_array(np.array([1]), "middle")]  # fmt: skip
    for length in ("tokens", 12):  # a file may take texts of one length only
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, [N, length])
            for name in ("input_ids", "attention_mask")
        ]
        path = saved(tmp_path / "text.onnx", nodes, weights, inputs=inputs)
        backbone = open_backbone(path)
        assert backbone.modality == "text"
        table, w, b = (numpy_helper.to_array(one) for one in weights[:3])
        features = backbone.features(backbone.prepare(["good film", "bad", "good good odd"]))
        wanted = [table[[2, 4]].sum(0), table[3], table[[2, 2, 1]].sum(0)]
        np.testing.assert_allclose(features, wanted, atol=1e-5)
        np.testing.assert_allclose(
            backbone.forward(backbone.prepare(["bad"])), [table[3] @ w + b], atol=1e-5
        )


def test_what_is_no_network_of_known_kind(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no protobuf")
    with pytest.raises(BackboneError, match="cannot be read as an ONNX network"):
        open_backbone(tmp_path / "bad.onnx")
    with pytest.raises(BackboneError, match="is not a file"):
        open_backbone(tmp_path / "none.onnx")
    with pytest.raises(BackboneError, match="precision= does nothing"):
        open_backbone(make(tmp_path / "net.onnx"), precision="bfloat16")
    odd = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [N, 7])]
    node = [helper.make_node("Gemm", ["x", "w", "b"], ["logits"])]
    path = saved(tmp_path / "odd.onnx", node, initializers(w=(7, C), b=(C,)), inputs=odd)
    with pytest.raises(BackboneError, match=r"takes x \[None, 7\]; known are images"):
        open_backbone(path)


def test_weights_that_are_computed_are_no_decision_layer(tmp_path):
    nodes = [*BODY, FLAT, helper.make_node("Mul", ["w", "w"], ["ww"], name="square"),
             helper.make_node("Gemm", ["f", "ww"], ["logits"], name="fc")]  # fmt: skip
    path = saved(tmp_path / "odd.onnx", nodes, initializers(conv=(P, 3, 3, 3), w=(P, C)))
    with pytest.raises(SplitError, match="'logits' is computed by Gemm 'fc'"):
        open_backbone(path)
