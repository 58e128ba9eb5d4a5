"""How an exported folder keeps what makes the network's input of texts and pictures."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clearhead._files import known_fields
from clearhead.backbones import Backbone, Preprocessing
from clearhead.backbones.images import ImagePreprocessing
from clearhead.backbones.processor import ProcessorPreprocessing
from clearhead.backbones.tokens import TextPreprocessing
from clearhead.errors import InputError

__all__ = ["keep_preprocessing", "kept_preprocessing", "prepare_code"]


def keep_preprocessing(backbone: Backbone, folder: Path) -> dict[str, Any]:
    """Write what prepares the examples into `folder`; describe it for the manifest.

    A tokenizer or an image processor of transformers is saved in its own files. Anything
    else that is more than numbers stays with the network: ``{"kind": "network"}``.
    """
    way: Any = backbone.preprocessing
    if isinstance(way, TextPreprocessing):
        tokenizer = copy.deepcopy(way.tokenizer)
        # so that truncation=True alone cuts as here
        tokenizer.model_max_length = way.max_tokens
        tokenizer.save_pretrained(folder)
        return {
            "kind": "tokenizer",
            "max_tokens": way.max_tokens,
            "lower": way.lower,
            "names": None if way.names is None else list(way.names),
            "prompt": way.prompt,
        }
    if isinstance(way, ProcessorPreprocessing):
        way.processor.save_pretrained(folder)
        return {"kind": "processor", "names": list(way.names)}
    if isinstance(way, ImagePreprocessing):
        return {"kind": "image", **asdict(way)}
    return {"kind": "network"}


def kept_preprocessing(
    described: Mapping[str, Any], folder: Path, backbone: Backbone | None
) -> Preprocessing:
    """Open again what :func:`keep_preprocessing` wrote.

    Raises
    ------
    InputError
        It stayed with the network, and `backbone` is None.
    """
    if described["kind"] == "tokenizer":
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        names = described["names"]
        return TextPreprocessing(
            tokenizer,
            max_tokens=int(described["max_tokens"]),
            lower=bool(described["lower"]),
            names=None if names is None else tuple(names),
            prompt=str(described["prompt"]),
        )
    if described["kind"] == "processor":
        from transformers import AutoImageProcessor

        processor = AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
        return ProcessorPreprocessing(processor, tuple(described["names"]))
    if described["kind"] == "image":
        fields = known_fields(ImagePreprocessing, described)
        means, stds = tuple(fields.pop("mean")), tuple(fields.pop("std"))
        return ImagePreprocessing(mean=means, std=stds, **fields)
    if backbone is None:
        raise InputError(
            f"{folder} does not hold what prepares its examples: that is code of the network it "
            "was made from. Give that network: clearhead.load(folder, backbone=backbone)."
        )
    return backbone.preprocessing


def prepare_code(described: Mapping[str, Any], tensors: str) -> list[str]:
    """Python lines without clearhead that make ``inputs`` of ``examples``.

    Parameters
    ----------
    described : mapping
        What :func:`keep_preprocessing` gave.
    tensors : {"pt", "np"}
        Arrays of torch or of numpy.
    """
    if described["kind"] == "tokenizer":
        text = repr(described["prompt"]) + " + " if described["prompt"] else ""
        text += "text.lower()" if described["lower"] else "text"
        return [
            "from transformers import AutoTokenizer",
            "tokenizer = AutoTokenizer.from_pretrained(folder)",
            f"texts = [{text} for text in examples]",
            "inputs = dict(",
            f'    tokenizer(texts, padding=True, truncation=True, return_tensors="{tensors}")',
            ")",
        ]
    if described["kind"] == "processor":
        return [
            "from transformers import AutoImageProcessor",
            "processor = AutoImageProcessor.from_pretrained(folder)",
            f'inputs = dict(processor(images=examples, return_tensors="{tensors}"))',
        ]
    if described["kind"] == "image":
        size, crop = described["size"], described["crop_fraction"]
        mean, std = list(described["mean"]), list(described["std"])
        ready = "torch.from_numpy(pixels)" if tensors == "pt" else "pixels"
        return [
            "import numpy as np",
            "from PIL import Image",
            "def pixels_of(picture):  # an RGB PIL image",
            f"    side = {crop} * min(picture.size)",
            "    left, top = (picture.width - side) / 2, (picture.height - side) / 2",
            "    box = (left, top, left + side, top + side)",
            f"    cut = picture.resize(({size}, {size}), Image.Resampling.BICUBIC, box=box)",
            f"    return (np.asarray(cut, np.float32) - np.float32({mean})) / np.float32({std})",
            "pixels = np.stack([pixels_of(p) for p in examples]).transpose(0, 3, 1, 2)",
            "pixels = np.ascontiguousarray(pixels)",
            f'inputs = {{"input": {ready}}}',
        ]
    return ["inputs = ...  # prepared as for the network that this was made from"]
