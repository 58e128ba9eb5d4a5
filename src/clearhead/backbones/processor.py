"""How a picture becomes the input of a network of the transformers library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from clearhead.backbones.batch import Batch
from clearhead.backbones.pretrained import explained
from clearhead.errors import BackboneError

__all__ = ["ProcessorPreprocessing", "example_pictures", "open_processor"]


@dataclass(frozen=True)
class ProcessorPreprocessing:
    """What the checkpoint's own image processor does.

    Parameters
    ----------
    processor : transformers image processor
    names : tuple of str
        Which of its outputs the network takes.
    """

    processor: Any = field(repr=False)
    names: tuple[str, ...]

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn pictures into one batch of pixel values (n, 3, height, width)."""
        pictures = [picture.convert("RGB") for picture in examples]
        values = self.processor(images=pictures, return_tensors="pt")
        return Batch(kwargs={name: values[name] for name in values if name in self.names})

    def describe(self) -> Mapping[str, Any]:
        """What the result depends on."""
        return {
            "kind": "image processor",
            # it resizes with Pillow or with torchvision, which round differently
            "class": type(self.processor).__name__,
            "settings": json.loads(self.processor.to_json_string()),
        }

    def length(self, example: Any) -> int:
        """All pictures are alike once they are resized."""
        return 0


def open_processor(folder: Path, network: nn.Module, name: str) -> ProcessorPreprocessing:
    """Open the image processor in `folder`."""
    from inspect import signature

    from transformers import AutoImageProcessor

    files = ("preprocessor_config.json", "processor_config.json")
    if not any((folder / file).is_file() for file in files):
        raise BackboneError(
            f"{name} holds no preprocessor_config.json, so it is unknown how pictures are resized "
            "and normalised for it. Save it beside the weights: processor.save_pretrained(folder)."
        )
    with explained(name, "its image processor"):
        processor = AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
    return ProcessorPreprocessing(processor, tuple(signature(network.forward).parameters))


def example_pictures() -> list[Image.Image]:
    """Pictures of unlike content and size, on which claims about a network are proven."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, 80 * 64 * 3).reshape(80, 64, 3).astype(np.uint8)
    return [Image.fromarray(noise), Image.fromarray(ramp)]
