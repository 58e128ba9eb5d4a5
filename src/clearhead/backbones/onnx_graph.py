"""The linear layer behind an output of an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clearhead.errors import SplitError

__all__ = ["GraphHead", "find_head"]

# What may stand between the layer and the output without changing a value.
_THROUGH = {"Identity", "Flatten", "Squeeze", "Reshape"}


@dataclass(frozen=True, eq=False)
class GraphHead:
    """A linear layer in a graph.

    Parameters
    ----------
    node : str
        Name of its node, or of what it computes where the node has none.
    features, logits : str
        Names of its input and of its output.
    weight : (C, p) array
    bias : (C,) array
    """

    node: str
    features: str
    logits: str
    weight: Any
    bias: Any


def find_head(graph: Any, layer: str | None, path: Path) -> GraphHead:
    """Find the decision layer behind the first output that has one.

    Parameters
    ----------
    graph : onnx.GraphProto
    layer : str or None
        Name of the node, where it is asked for; it need not be the last then.
    path : Path
        For messages.

    Raises
    ------
    SplitError
        There is none; says what each output is computed by.
    """
    made = {name: node for node in graph.node for name in node.output}
    constants = _constants(graph)
    if layer is not None:
        named = [node for node in graph.node if layer in (node.name, *node.output)]
        found = _linear(named[0], made, constants) if named else None
        if found is None:
            linear = [one for node in graph.node if (one := _linear(node, made, constants))]
            names = ", ".join(repr(one.node) for one in linear[-6:]) or "none"
            raise SplitError(
                f"layer={layer!r} is no linear layer of {path}. The last are: {names}."
            )
        return found
    why = []
    for output in graph.output:
        node = made.get(output.name)
        while node is not None:
            found = _linear(node, made, constants)
            if found is not None:
                return found
            if node.op_type not in _THROUGH:
                break
            node = made.get(node.input[0])
        why.append(_ending(output.name, node, made, constants))
    raise SplitError(
        f"No decision layer could be proven in {path}:\n" + "\n".join(why) + "\nName the node "
        "whose output are the logits with layer= (--layer), or export the network up to its logits."
    )


def _ending(output: str, node: Any, made: Mapping[str, Any], constants: Mapping[str, Any]) -> str:
    if node is None:
        return f"  {output!r} is an input of the graph"
    what = f"  {output!r} is computed by {node.op_type} {node.name!r}"
    before = made.get(node.input[0]) if node.input else None
    linear = _linear(before, made, constants) if before is not None else None
    if linear is None:
        return what
    return f"{what}, right after the linear layer {linear.node!r}: layer={linear.node!r}"


def _constants(graph: Any) -> dict[str, Any]:
    """Weights stored in the file, those behind Identity, Transpose and Cast among them."""
    from onnx import numpy_helper

    found: dict[str, Any] = {}
    for one in graph.initializer:
        found[one.name] = numpy_helper.to_array(one)
    for node in graph.node:
        if node.op_type == "Constant":
            value = [one for one in node.attribute if one.name == "value"]
            if value:
                found[node.output[0]] = numpy_helper.to_array(value[0].t)
        elif node.input and node.input[0] in found and len(node.input) == 1:
            if node.op_type == "Identity":
                found[node.output[0]] = found[node.input[0]]
            elif node.op_type == "Transpose":
                axes = _attributes(node).get("perm")
                found[node.output[0]] = found[node.input[0]].transpose(axes)
    return found


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import helper

    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def _linear(node: Any, made: Mapping[str, Any], constants: Mapping[str, Any]) -> GraphHead | None:
    """The node as a linear layer on features (n, p), if it is one."""
    if node.op_type != "Add":
        return _product(node, constants)
    for inner, bias in (node.input, node.input[::-1]):  # MatMul + bias, in either order
        product = made.get(inner)
        if product is not None and product.op_type == "MatMul" and bias in constants:
            found = _product(product, constants)
            if found is not None and constants[bias].size in (1, len(found.weight)):
                return replace(
                    found,
                    node=node.name or node.output[0],
                    logits=node.output[0],
                    bias=_row(constants[bias], len(found.weight)),
                )
    return None


def _product(node: Any, constants: Mapping[str, Any]) -> GraphHead | None:
    """A Gemm, a MatMul or a 1×1 convolution with stored weights."""
    if node.op_type not in ("Gemm", "MatMul", "Conv") or any(
        name and name not in constants for name in node.input[1:]
    ):
        return None
    weight, options = constants[node.input[1]], _attributes(node)
    if node.op_type == "Conv":
        if weight.shape[2:] != (1,) * (weight.ndim - 2) or options.get("group", 1) != 1:
            return None
        weight = weight.reshape(weight.shape[:2])
    elif weight.ndim != 2 or options.get("transA", 0):
        return None
    elif not options.get("transB", 0):
        weight = weight.T
    bias = constants[node.input[2]] if len(node.input) > 2 and node.input[2] else np.zeros(1)
    return GraphHead(
        node=node.name or node.output[0],
        features=node.input[0],
        logits=node.output[0],
        weight=weight * options.get("alpha", 1.0),
        bias=_row(bias * options.get("beta", 1.0), len(weight)),
    )


def _row(values: Any, n: int) -> Any:
    return np.broadcast_to(values.reshape(-1), n)
