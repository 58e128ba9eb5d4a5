"""A network in an ONNX file, run by onnxruntime.

The decision layer is found in the graph behind an output: a Gemm, a MatMul with or without
an Add, or a 1×1 convolution, with weights that are stored in the file. The network is then
cut there: onnxruntime computes what goes into that layer, and the layer itself is a linear
layer of torch. Both together must give what the whole file gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clearhead.backbones.backbone import Activation, Backbone
from clearhead.backbones.images import image_preprocessing, noise
from clearhead.backbones.onnx_graph import GraphHead, find_head
from clearhead.backbones.tokens import (
    EXAMPLES,
    TextPreprocessing,
    open_tokenizer,
    tokenizer_identity,
)
from clearhead.errors import BackboneError, MissingDependencyError, SplitError

__all__ = ["OnnxNetwork", "open_onnx"]

_TOLERANCE = 1e-4


class OnnxNetwork(nn.Module):
    """The network of an ONNX file up to its decision layer, and that layer.

    Parameters
    ----------
    graph : bytes
        The file's model, whose outputs are the features and the logits.
    head : nn.Linear
        The decision layer.
    """

    def __init__(self, graph: bytes, head: nn.Linear) -> None:
        super().__init__()
        self._graph = graph
        self.head = head
        self._open()

    def _open(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        providers = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(self._graph, options, providers=providers)
        self.inputs = {one.name: one for one in self._session.get_inputs()}
        first = next(iter(self.inputs.values())).shape
        self.rows = first[0] if first and isinstance(first[0], int) else None

    def run(self, *args: Tensor, **kwargs: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features (n, p) and the file's own logits (n, C)."""
        given = {**dict(zip(self.inputs, args, strict=False)), **kwargs}
        feeds = {
            name: value.detach().cpu().numpy().astype(_numpy_type(self.inputs[name].type))
            for name, value in given.items()
            if name in self.inputs
        }
        feeds = {name: _padded(value, self.inputs[name].shape) for name, value in feeds.items()}
        n = len(next(iter(feeds.values())))
        step = self.rows or n
        parts = []
        for start in range(0, n, step):
            part = {name: value[start : start + step] for name, value in feeds.items()}
            short = step - min(step, n - start)  # a file may take only so many rows at once
            if short:
                part = {
                    name: np.concatenate([value, np.repeat(value[-1:], short, axis=0)])
                    for name, value in part.items()
                }
            features, logits = self._session.run(None, part)
            kept = step - short
            parts.append((features[:kept].reshape(kept, -1), logits[:kept].reshape(kept, -1)))
        features, logits = (
            torch.from_numpy(np.concatenate(both).astype(np.float32))
            for both in zip(*parts, strict=True)
        )
        return features, logits

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Compute the logits (n, C)."""
        features = self.run(*args, **kwargs)[0]
        logits: Tensor = self.head(features.to(self.head.weight.device))
        return logits

    def get_extra_state(self) -> dict[str, str]:
        """Stands for the weights that onnxruntime holds."""
        return {"graph": hashlib.sha256(self._graph).hexdigest()}

    def set_extra_state(self, state: Any) -> None:
        """Nothing: the graph does not change."""

    def __deepcopy__(self, _: Any) -> OnnxNetwork:
        head = nn.Linear(self.head.in_features, self.head.out_features)
        head.load_state_dict(self.head.state_dict())
        return OnnxNetwork(self._graph, head)


def _padded(values: Any, shape: Sequence[Any]) -> Any:
    """Tokens to the length that the file takes, where it takes but one; zeros are masked."""
    if values.ndim != 2 or len(shape) != 2 or not isinstance(shape[1], int):
        return values
    return np.pad(values, ((0, 0), (0, max(0, shape[1] - values.shape[1]))))


def open_onnx(
    spec: Path | str,
    *,
    layer: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    activation: Activation | None = None,
) -> Backbone:
    """Open a network in an ONNX file.

    Parameters
    ----------
    spec : Path or str
        The file.
    layer : str, optional
        Name of the node that is the decision layer, where what it computes is not the
        file's output (a Softmax behind it, say).
    preprocessing : mapping, optional
        For images ``size``, ``crop``, ``mean``, ``std``, ``interpolation``; the size is the
        file's own where it is fixed. For texts ``tokenizer`` (a folder; by default the one
        that the file is in) and ``max_tokens``.
    class_names, activation
        As in :meth:`Backbone.from_module`.

    Raises
    ------
    SplitError
        No decision layer could be proven; lists the nodes before the outputs.
    BackboneError
        The file is missing, damaged, or takes something other than images or tokens.
    MissingDependencyError
        onnx or onnxruntime is not installed.
    """
    path = Path(spec).expanduser()
    if not path.is_file():
        raise BackboneError(f"{path} is not a file: there is no ONNX network to open.")
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"{path.name} needs the packages onnx and onnxruntime ({error}). Install them with "
            "pip install 'clearhead[onnx]'"
        ) from error
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf and missing external data raise errors of their own
        raise BackboneError(
            f"{path} cannot be read as an ONNX network ({type(error).__name__}: {error}). If its "
            "weights are in a file beside it, keep both together."
        ) from error
    graph = model.graph
    stored = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in stored]
    head = find_head(graph, layer, path)
    prepare, modality, examples = _preparation(path, inputs, preprocessing)
    network = _cut(model, head, path)
    batch = prepare(examples)
    _prove(network, batch, head, path)
    return Backbone.from_module(
        network.eval(),
        prepare=prepare,
        name=path.name,
        modality=modality,
        example_batch=batch,
        class_names=class_names,
        activation=activation,
        batch_size=32 if modality == "text" else 8,
    )


def _cut(model: Any, head: GraphHead, path: Path) -> OnnxNetwork:
    """The network whose outputs are the features and the logits of `head`."""
    import onnx

    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    del cut.graph.output[:]
    for name in (head.features, head.logits):
        cut.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    try:
        graph = cut.SerializeToString()
    except Exception as error:  # protobuf has errors of its own
        raise BackboneError(
            f"{path} is larger than 2 GB, which onnxruntime takes only from a file "
            f"({type(error).__name__}). Open the network in torch instead."
        ) from error
    linear = nn.Linear(head.weight.shape[1], head.weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(np.array(head.weight, dtype=np.float32)))
        assert linear.bias is not None
        linear.bias.copy_(torch.from_numpy(np.array(head.bias, dtype=np.float32)))
    try:
        return OnnxNetwork(graph, linear.requires_grad_(False))
    except Exception as error:  # onnxruntime has errors of its own
        raise BackboneError(
            f"onnxruntime cannot run {path} ({type(error).__name__}: {error})."
        ) from error


def _prove(network: OnnxNetwork, batch: Any, head: GraphHead, path: Path) -> None:
    """The linear layer of torch on the features must be what the file computes."""
    try:
        features, logits = network.run(*batch.args, **batch.kwargs)
    except Exception as error:  # onnxruntime has errors of its own
        raise BackboneError(
            f"onnxruntime failed on {path} ({type(error).__name__}: {error}). Its inputs are "
            f"{', '.join(f'{one.name} {one.shape}' for one in network.inputs.values())}; see "
            "preprocessing=."
        ) from error
    if features.shape[1] != network.head.in_features:
        raise SplitError(
            f"{head.node!r} of {path} works on {features.shape[1]} values an example and has "
            f"{network.head.in_features} features: it is applied to many positions (tokens, "
            "pixels). Export the network with one vector an example before its last layer."
        )
    ours = network.head(features)
    scale = max(1.0, float(logits.abs().max()))
    same = ours.shape == logits.shape
    far = float((ours - logits).abs().max()) if same else float("inf")
    if far > _TOLERANCE * scale:
        raise SplitError(
            f"{head.node!r} of {path} cannot be proven to be its decision layer: its arithmetic "
            f"differs from what the file computes by up to {far:.3g}."
        )


def _preparation(
    path: Path, inputs: Sequence[Any], options: Mapping[str, Any] | None
) -> tuple[Any, Any, list[Any]]:
    """Preprocessing, modality and examples, by what the file takes."""
    names = [one.name for one in inputs]
    given = dict(options or {})
    if "input_ids" in names:
        return _text_preparation(path, inputs, given), "text", list(EXAMPLES)
    shape = _shape(inputs[0])
    if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        shown = ", ".join(f"{one.name} {_shape(one)}" for one in inputs)
        raise BackboneError(
            f"{path} takes {shown}; known are images (n, 3, height, width) or (n, height, width, "
            "3), and texts as input_ids with attention_mask. Extract its features yourself and "
            "give them as an .npz file."
        )
    last = shape[1] != 3
    fixed = shape[1] if last else shape[2]
    size = {"size": fixed} if isinstance(fixed, int) else {}
    prepare = image_preprocessing(given, **size)
    return (_ChannelsLast(prepare) if last else prepare), "image", noise()


def _text_preparation(path: Path, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    unknown = [name for name in options if name not in ("tokenizer", "max_tokens")]
    if unknown:
        raise BackboneError(
            f"preprocessing: {', '.join(unknown)}: for texts there are tokenizer and max_tokens."
        )
    folder = Path(options.get("tokenizer", path.parent)).expanduser()
    tokenizer = open_tokenizer(folder, str(folder))
    fixed = next(_shape(one)[1] for one in inputs if one.name == "input_ids")
    limits = [options.get("max_tokens"), fixed, tokenizer.model_max_length]
    # tokenizers without a limit say 10**30
    longest = min((int(limit) for limit in limits if limit and limit < 1 << 20), default=512)
    return TextPreprocessing(
        tokenizer,
        max_tokens=longest,
        names=tuple(one.name for one in inputs),
        describing={"tokenizer": tokenizer_identity(tokenizer)},
    )


def _shape(value: Any) -> list[Any]:
    return [one.dim_value or None for one in value.type.tensor_type.shape.dim]


@dataclass(frozen=True)
class _ChannelsLast:
    """Pictures as (n, height, width, 3)."""

    inner: Any

    def __call__(self, examples: Sequence[Any]) -> Any:
        batch = self.inner(examples)
        return replace(batch, args=(batch.args[0].permute(0, 2, 3, 1),))

    def describe(self) -> Mapping[str, Any]:
        return {**self.inner.describe(), "layout": "channels last"}

    def length(self, example: Any) -> int:
        return 0


def _numpy_type(name: str) -> Any:
    """``tensor(float)`` as numpy says it."""
    inner = name.removeprefix("tensor(").removesuffix(")")
    return {"float": np.float32, "double": np.float64, "float16": np.float16}.get(inner, inner)
