"""Format ``onnx``: the whole network with the sparse layer, for onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clearhead._types import FloatArray, Modality
from clearhead.backbones import Backbone, Preprocessing
from clearhead.backbones.batch import as_batch
from clearhead.errors import ExportError, MissingDependencyError
from clearhead.exports.format import Written, network_of
from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest
from clearhead.exports.preprocessing import keep_preprocessing, kept_preprocessing, prepare_code
from clearhead.exports.program import OUTPUTS, input_arrays, quiet, traced_program
from clearhead.exports.runtime import with_layer
from clearhead.layer import DecisionLayer

__all__ = ["describe_loading", "open_model", "write"]

MODEL = "model.onnx"
OPSET = 20
_LARGE = 1 << 30
"""Protocol buffers end at 2 GiB: weights of more than half of that go into a file of their own."""


def write(inputs: ExportInputs, folder: Path) -> Written:
    """Write ``model.onnx``: inputs of any batch size, outputs ``logits`` and ``features``."""
    onnx, _ = _libraries()
    network = with_layer(network_of(inputs, "onnx"), inputs.layer)
    batch = network.example.to(network.device)
    names = list(input_arrays(batch))
    size = sum(value.nbytes for value in network.module.state_dict().values())
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                traced_program(network, batch),
                (),
                str(folder / MODEL),
                input_names=names,
                output_names=list(OUTPUTS),
                opset_version=OPSET,
                dynamo=True,
                external_data=size > _LARGE,
                verbose=False,
            )
    except Exception as error:  # tracing runs any network's code, and fails in as many ways
        raise ExportError(
            f"format='onnx': {network.name} cannot be traced by torch.onnx.export "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}). The "
            "formats torch and sklearn need no trace."
        ) from error
    if size <= _LARGE:
        _name_axes(onnx, folder / MODEL, network.modality)
    return Written(
        preprocessing=keep_preprocessing(network, folder),
        details={"opset": OPSET, "inputs": names, "outputs": list(OUTPUTS)},
        packages=("torch", "onnx", "onnxruntime", "onnxscript"),
    )


def _libraries() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - torch.onnx needs it
    except ImportError as error:
        raise MissingDependencyError(
            f"format='onnx' needs the packages onnx, onnxscript and onnxruntime ({error}). "
            "Install them with pip install 'clearhead[onnx]'"
        ) from error
    return onnx, onnxruntime


def _name_axes(onnx: Any, path: Path, modality: Modality) -> None:
    """Call the free axes batch and tokens; the tracer calls them s18 and s41."""
    model = onnx.load(path)
    named: dict[str, str] = {}
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        for axis, name in enumerate(["batch", "tokens" if modality == "text" else "axis_1"]):
            if axis < len(dims) and dims[axis].dim_param:
                named.setdefault(dims[axis].dim_param, name)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in named:
                dim.dim_param = named[dim.dim_param]
    onnx.save(model, path)


@dataclass(frozen=True, eq=False)
class OnnxRuntime:
    """An onnxruntime session and what prepares its input."""

    model: Any
    preprocessing: Preprocessing
    modality: Modality | None

    def prepare(self, examples: Sequence[Any]) -> Any:
        """Turn texts or pictures into one batch."""
        return as_batch(self.preprocessing(examples))

    def run(self, batch: Any) -> tuple[FloatArray, FloatArray]:
        """Compute features and scores."""
        wanted = {one.name for one in self.model.get_inputs()}
        arrays = {
            name: np.ascontiguousarray(value.cpu().numpy())
            for name, value in input_arrays(as_batch(batch)).items()
            if name in wanted
        }
        logits, features = self.model.run(list(OUTPUTS), arrays)
        return features, logits


def open_model(
    folder: Path, manifest: Manifest, layer: DecisionLayer, backbone: Backbone | None
) -> OnnxRuntime:
    """Open a session on the CPU."""
    _, onnxruntime = _libraries()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(folder / MODEL), options, providers=["CPUExecutionProvider"]
    )
    assert manifest.network is not None
    return OnnxRuntime(
        session,
        kept_preprocessing(manifest.preprocessing, folder, backbone),
        manifest.network["modality"],
    )


def describe_loading(manifest: Manifest) -> list[str]:
    """Markdown lines: onnxruntime, and clearhead."""
    names = ", ".join(f"`{name}`" for name in manifest.details["inputs"])
    return [
        f"Opset {manifest.details['opset']}; inputs {names}, any number of examples; outputs "
        "`logits` and `features` (of which the logits are linear).",
        "",
        "```python",
        "import onnxruntime",
        "",
        'folder = "."  # this folder',
        "examples = [...]",
        *prepare_code(manifest.preprocessing, "np"),
        f'session = onnxruntime.InferenceSession(f"{{folder}}/{MODEL}")',
        "taken = {one.name for one in session.get_inputs()}",
        "inputs = {name: value for name, value in inputs.items() if name in taken}",
        "logits, features = session.run(None, inputs)",
        "```",
    ]
