"""What runs an exported model: from examples to features and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from clearhead._types import FloatArray, Modality
from clearhead.backbones import Backbone
from clearhead.layer import DecisionLayer

__all__ = ["NetworkRuntime", "Runtime", "rebuilt", "with_layer"]


class Runtime(Protocol):
    """One exported model, opened."""

    @property
    def model(self) -> Any:
        """The model as its own library has it: a module, a session, a pipeline."""

    @property
    def modality(self) -> Modality | None:
        """What it takes; None: deep features."""

    def prepare(self, examples: Sequence[Any]) -> Any:
        """Turn texts or pictures into what :meth:`run` takes."""

    def run(self, batch: Any) -> tuple[FloatArray, FloatArray]:
        """Compute the deep features (n, p) and the model's own scores (n, K)."""


@dataclass(frozen=True, eq=False)
class NetworkRuntime:
    """A torch network whose decision layer is the exported one."""

    backbone: Backbone

    @property
    def model(self) -> torch.nn.Module:
        """The network."""
        return self.backbone.module

    @property
    def modality(self) -> Modality | None:
        """What it takes."""
        return self.backbone.modality

    def prepare(self, examples: Sequence[Any]) -> Any:
        """Turn texts or pictures into one batch."""
        return self.backbone.prepare(examples)

    def run(self, batch: Any) -> tuple[FloatArray, FloatArray]:
        """Compute features and scores."""
        features, scores = self.backbone.features_and_outputs(batch)
        assert scores is not None  # it has the exported layer
        return features.numpy(), scores.numpy()


def with_layer(backbone: Backbone, layer: DecisionLayer) -> Backbone:
    """Give the network that decides with `layer`, on the CPU, again split and proven there."""
    return rebuilt(layer.attach(backbone).cpu(), backbone, layer)


def rebuilt(module: torch.nn.Module, like: Backbone, layer: DecisionLayer) -> Backbone:
    """Split `module`, which decides with `layer` and else is as `like`."""
    return Backbone.from_module(
        module,
        prepare=like.preprocessing,
        name=like.name,
        modality=like.modality,
        example_batch=like.example,
        class_names=layer.class_names,
        activation="sigmoid" if layer.multilabel else "softmax",
        batch_size=like.batch_size,
    )
