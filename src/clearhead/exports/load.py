"""Open an exported model, and ask it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clearhead._types import FloatArray
from clearhead.backbones import Backbone
from clearhead.data.pixels import read_rgb
from clearhead.errors import CorruptFileError, InputError
from clearhead.exports.format import format_of
from clearhead.exports.manifest import Manifest
from clearhead.exports.prediction import Prediction
from clearhead.exports.proof import TOLERANCE
from clearhead.exports.runtime import Runtime
from clearhead.layer import DecisionLayer

__all__ = ["ExportedModel", "load"]


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """An exported model, opened with :func:`load`.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
        What the folder says about itself.
    layer : DecisionLayer
        Its decision layer, on the standardised scale.
    runtime : Runtime
        What runs it.
    """

    folder: Path
    manifest: Manifest = field(repr=False)
    layer: DecisionLayer
    runtime: Runtime = field(repr=False)

    @property
    def model(self) -> Any:
        """The model itself: an ``nn.Module``, an onnxruntime session or a scikit-learn pipeline."""
        return self.runtime.model

    def predict(self, x: Any, *, explain: bool = False, batch_size: int = 32) -> Prediction:
        """Decide, with probabilities and on request with exact reasons.

        Parameters
        ----------
        x : str, picture, path, sequence of them, or array
            Texts for a text network; RGB pictures (PIL) or paths of image files for an image
            network; deep features of shape (n, p) for the format sklearn.
        explain : bool
            Keep what each feature contributes to each class's score; see
            :meth:`Prediction.contributions`.
        batch_size : int
            Examples at once.

        Raises
        ------
        InputError
            `x` is not what this model takes.
        UnreadableExample
            An image file cannot be read.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}.")
        features = self._given(x) if self.runtime.modality is None else self._of(x, batch_size)
        return Prediction.of(self.layer, features, explain=explain)

    def features(self, x: Any, *, batch_size: int = 32) -> FloatArray:
        """Compute the deep features (n, p) of `x`; see :meth:`predict`."""
        return self._given(x) if self.runtime.modality is None else self._of(x, batch_size)

    def _given(self, x: Any) -> FloatArray:
        features = np.asarray(x)
        p = self.layer.weight.shape[1]
        if features.ndim != 2 or features.shape[1] != p or features.dtype.kind not in "fiu":
            raise InputError(
                f"x: expected deep features of shape (n, {p}), got an array of shape "
                f"{features.shape} and type {features.dtype}. This model is the layer alone "
                f"(format sklearn); the format torch or onnx takes examples."
            )
        return features

    def _of(self, x: Any, batch_size: int) -> FloatArray:
        examples = _examples(x, self.runtime.modality or "")
        blocks = [np.empty((0, self.layer.weight.shape[1]), dtype=np.float32)]
        for first in range(0, len(examples), batch_size):
            batch = self.runtime.prepare(examples[first : first + batch_size])
            features, scores = self.runtime.run(batch)
            self._check_own(features, scores)
            blocks.append(features)
        return np.concatenate(blocks)

    def _check_own(self, features: FloatArray, scores: FloatArray) -> None:
        """The reasons must be those of the model that runs, not of another layer."""
        wanted = self.layer.logits(features)
        proof = self.manifest.proof
        allowed = TOLERANCE if proof is None else proof.tolerance
        far = float(np.abs(scores - wanted).max(initial=0.0))
        if not far <= 10 * allowed * max(1.0, float(np.abs(wanted).max(initial=0.0))):
            raise CorruptFileError(
                f"{self.folder}: the model's own scores differ by {far:.3g} from those of the "
                "layer that was exported with it, so its decisions cannot be explained by that "
                "layer. Export the run again."
            )

    def __repr__(self) -> str:
        return f"ExportedModel({self.manifest.name!r}, {self.manifest.format}, {self.layer!r})"


def load(folder: Path | str, *, backbone: Backbone | None = None) -> ExportedModel:
    """Open an exported model.

    Parameters
    ----------
    folder : path
        What :func:`clearhead.export` wrote.
    backbone : Backbone, optional
        The network that it was exported from, where that cannot be opened by a name.

    Raises
    ------
    StorageError
        The folder is no export, is damaged, or was written by a newer clearhead.
    InputError
        The network is needed and was not given.
    """
    folder = Path(folder)
    manifest = Manifest.read(folder)
    manifest.check_files(folder)
    layer = DecisionLayer.load(folder)
    way = format_of(manifest.format)
    return ExportedModel(folder, manifest, layer, way.open_model(folder, manifest, layer, backbone))


def _examples(x: Any, modality: str) -> Sequence[Any]:
    items = [x] if isinstance(x, (str, Path, Image.Image)) else list(x)
    if modality == "text":
        wrong = next((item for item in items if not isinstance(item, str)), None)
        if wrong is not None:
            raise InputError(
                f"x: this model takes texts (str), got {type(wrong).__name__}. Give one text or a "
                "list of texts."
            )
        return items
    return [_picture(item) for item in items]


def _picture(item: Any) -> Image.Image:
    if isinstance(item, Image.Image):
        return item if item.mode == "RGB" else item.convert("RGB")
    if isinstance(item, (str, Path)):
        return read_rgb(Path(item), str(item))
    raise InputError(
        f"x: this model takes pictures, as PIL images or paths of files; got {type(item).__name__}."
    )
