"""A network split at its decision layer."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, cast, get_args, runtime_checkable

import torch
import xxhash
from torch import Tensor, nn
from torch.nn import functional

from clearhead._files import fingerprint
from clearhead._types import Modality
from clearhead.backbones.batch import Batch, as_batch
from clearhead.backbones.device import Precision, chosen_device
from clearhead.backbones.head import encoder_features, with_head
from clearhead.backbones.split import Split, split_module
from clearhead.backbones.tracing import device_of, evaluating
from clearhead.errors import BackboneError

__all__ = ["Activation", "Backbone", "Preprocessing", "check_alone"]

Activation = Literal["softmax", "sigmoid"]

# Batches of other sizes sum in another order: up to this share of the largest feature.
_ALONE = 1e-3


@runtime_checkable
class Preprocessing(Protocol):
    """How examples become what the network is called with."""

    def __call__(self, examples: Sequence[Any]) -> Batch:
        """Turn texts or pictures into one batch."""

    def describe(self) -> Mapping[str, Any]:
        """Everything that the result depends on, as JSON: it is fingerprinted."""

    def length(self, example: Any) -> int:
        """How much work an example is, for batches of alike length; 0 if all are alike."""


@dataclass(frozen=True)
class _Function:
    """A plain function as :class:`Preprocessing`."""

    function: Callable[[Sequence[Any]], Any]
    description: Mapping[str, Any] | None

    def __call__(self, examples: Sequence[Any]) -> Batch:
        return as_batch(self.function(examples))

    def describe(self) -> Mapping[str, Any]:
        if self.description is not None:
            return self.description
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        try:
            source = inspect.getsource(self.function)
        except (OSError, TypeError):
            source = ""
        return {"function": name, "source": source}

    def length(self, example: Any) -> int:
        return len(example) if isinstance(example, str) else 0


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network, split where its decision layer begins.

    Made by :func:`open_backbone` or :meth:`from_module`; see there.

    Parameters
    ----------
    name : str
        For people and for the run directory.
    modality : {"text", "image"}
        What :meth:`prepare` takes: ``str`` or RGB ``PIL.Image.Image``.
    module : nn.Module
        The whole network. It is run in evaluation mode and never changed.
    preprocessing : Preprocessing
        From examples to a batch.
    split : Split or None
        The proven decision layer; None for an encoder, whose output is the features.
    n_features : int
        p, the width of the decision layer's input.
    class_names : tuple of str or None
        Classes of the network's own head; None if it has none or they are unknown. A head
        of one output has two, the second of which the output speaks for.
    activation : {"softmax", "sigmoid"} or None
        What makes probabilities of the outputs: softmax over classes of which one is
        true, or sigmoid of each (several may be true, or there is one output). None
        where there is no head, or its outputs are no classes (regression).
    batch_size : int
        Examples a batch unless something else is asked for.
    example : Batch
        A small batch on which claims about the network are proven.
    precision : {"float32", "bfloat16"}
        What the network computes in; ``"float32"`` stands for its own weights' precision.
    """

    name: str
    modality: Modality
    module: nn.Module = field(repr=False)
    preprocessing: Preprocessing = field(repr=False)
    split: Split | None
    n_features: int
    class_names: tuple[str, ...] | None
    activation: Activation | None
    batch_size: int
    example: Batch = field(repr=False)
    precision: Precision = "float32"

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        *,
        prepare: Preprocessing | Callable[[Sequence[Any]], Any],
        name: str,
        modality: Modality,
        example_batch: Any,
        class_names: Sequence[str] | None = None,
        layer: str | None = None,
        encoder: bool = False,
        activation: Activation | Literal["none"] | None = None,
        batch_size: int = 32,
        description: Mapping[str, Any] | None = None,
    ) -> Backbone:
        """Make a backbone of any torch module.

        Parameters
        ----------
        module : nn.Module
            The network.
        prepare : callable
            From a list of examples to what the module is called with: a tensor, a tuple
            of arguments, a mapping of keyword arguments or a :class:`Batch`.
        name, modality, class_names, batch_size
            As in :class:`Backbone`.
        example_batch : Batch, Tensor, tuple or mapping
            One prepared batch of at least one example; the split is proven on it.
        layer : str, optional
            Dotted name of the decision layer; found by tracing if not given.
        encoder : bool
            The network has no classifier: its (n, p) output is the features.
        activation : {"softmax", "sigmoid", "none"}, optional
            As in :class:`Backbone`; softmax if not given, sigmoid for a single output.
        description : mapping, optional
            JSON that says what a plain function `prepare` does, for the fingerprint;
            its source code if not given.

        Raises
        ------
        SplitError
            The decision layer could not be proven.
        BackboneError
            The arguments do not fit together.
        """
        _check_arguments(module, modality, class_names, batch_size)
        preprocessing = (
            prepare if isinstance(prepare, Preprocessing) else _Function(prepare, description)
        )
        batch = as_batch(example_batch)
        if len(batch) == 0:
            raise BackboneError(
                "example_batch holds no example: the split is proven on it. Give a prepared batch "
                "of at least one."
            )
        if encoder:
            if layer is not None:
                raise BackboneError("encoder=True has no decision layer to name; leave layer= out.")
            split, n_features = None, encoder_features(module, batch).shape[1]
        else:
            split = split_module(module, batch, layer)
            n_features = split.n_features
            _check_class_names(class_names, split)
        backbone = cls(
            name=name,
            modality=modality,
            module=module,
            preprocessing=preprocessing,
            split=split,
            n_features=int(n_features),
            class_names=None if class_names is None or encoder else tuple(class_names),
            activation=_activation(activation, split),
            batch_size=batch_size,
            example=batch,
        )
        if len(batch) > 1:
            check_alone(backbone, batch, [_twice(batch)])
        return backbone

    @property
    def layer(self) -> str | None:
        """Dotted name of the decision layer; None for an encoder."""
        return None if self.split is None else self.split.layer

    @property
    def n_outputs(self) -> int | None:
        """C, how many outputs the network's own head has; None for an encoder."""
        return None if self.split is None else self.split.n_outputs

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return device_of(self.module)

    @property
    def head(self) -> tuple[Tensor, Tensor] | None:
        """The network's own decision layer, weight (C, p) and bias (C,) in float32 on the CPU."""
        if self.split is None:
            return None
        layer = self.module.get_submodule(self.split.layer)
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, Tensor)
        weight = weight.detach().flatten(1).float().cpu().clone()
        if isinstance(bias, Tensor):
            return weight, bias.detach().float().cpu().clone()
        return weight, torch.zeros(weight.shape[0])

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """What the features depend on: ``weights``, ``preprocessing`` and ``split``.

        ``precision``, too, where it is not float32.
        """
        where = None
        if self.split is not None:
            where = [self.split.layer, self.split.call, self.split.n_calls]
            if self.split.positions:
                where.append("positions")
        prints = {
            "weights": _weights_fingerprint(self.module),
            "preprocessing": fingerprint(dict(self.preprocessing.describe())),
            "split": fingerprint({"module": type(self.module).__name__, "layer": where}),
        }
        return prints if self.precision == "float32" else {**prints, "precision": self.precision}

    def prepare(self, examples: Sequence[Any]) -> Batch:
        """Turn examples (texts or RGB pictures) into one batch."""
        return as_batch(self.preprocessing(examples))

    def length(self, example: Any) -> int:
        """How much work an example is, to batch alike ones; 0 where all are alike."""
        return int(self.preprocessing.length(example))

    def features(self, batch: Any) -> Tensor:
        """Compute the deep features of a batch: float32, shape (n, p), on the CPU."""
        return self.features_and_outputs(batch)[0]

    def forward(self, batch: Any) -> Tensor:
        """Compute the network's own output: logits, float32, shape (n, C), on the CPU.

        For an encoder these are its features. Where the decision layer was named and is
        followed by something else, these are the layer's own outputs.
        """
        features, outputs = self.features_and_outputs(batch)
        return features if outputs is None else outputs

    def features_and_outputs(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        """Compute :meth:`features` and :meth:`forward` in one pass.

        Returns
        -------
        features : (n, p) float32 Tensor
        outputs : (n, C) float32 Tensor or None
            The logits of the network's own head; None for an encoder.
        """
        features, outputs = self._run(batch)
        features = features.float().cpu()
        if self.split is None:
            return features, None
        head = self.head if self.precision != "float32" else None
        if head is not None:
            # The head in full precision: three digits would make ties of near decisions.
            return features, functional.linear(features, *head)
        return features, outputs.float().cpu()

    def differentiable_features(self, batch: Any) -> Tensor:
        """Compute the deep features with the graph that gradients need.

        Returns
        -------
        (n, p) float32 Tensor
            On the network's device, attached to whatever in `batch` and in the network
            requires gradients.

        Raises
        ------
        BackboneError
            The network has no gradients (ONNX).
        """
        batch = as_batch(batch).to(self.device)
        try:
            with torch.enable_grad(), evaluating(self.module):
                if self.split is None:
                    features = encoder_features(self.module, batch)
                else:
                    features = self.split.features(self.module, batch)[0]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # such as: its forward pass leaves torch
            raise BackboneError(
                f"{self.name} cannot be run with gradients: {str(error).splitlines()[0]}"
            ) from error
        if not features.requires_grad:
            raise BackboneError(
                f"{self.name} gives no gradients: its features do not depend, in a way that torch "
                "can follow, on the inputs it was called with."
            )
        return features.float()

    def to(self, device: torch.device | str = "auto", precision: str = "auto") -> Backbone:
        """Move the network to a device, and choose the precision it computes in.

        Parameters
        ----------
        device : torch.device or str
            ``"auto"`` is the first of CUDA, MPS (Apple) and the CPU that is there.
        precision : {"auto", "float32", "bfloat16"}
            With bfloat16 its matrix products are computed in 16 bits (torch's autocast); its
            weights and its decision layer stay as they are, and features are float32.
            ``"auto"`` changes nothing.

        Returns
        -------
        Backbone
            With the same module, which has been moved.
        """
        if precision not in ("auto", *get_args(Precision)):
            raise BackboneError(
                f"precision={precision!r}: it must be one of 'auto', 'float32' and 'bfloat16'."
            )
        self.module.to(chosen_device(device))
        if precision == "float32":
            self.module.float()
        chosen = self.precision if precision == "auto" else cast(Precision, precision)
        return replace(self, precision=chosen)

    def replace_head(self, linear: nn.Linear) -> nn.Module:
        """Return a copy of the network that decides with `linear` instead.

        The copy is the network itself with one layer replaced where that is provably
        enough; else (an encoder, a layer that is used twice, one that is followed by
        something) it computes the features and applies `linear` to them.

        Parameters
        ----------
        linear : nn.Linear
            From the p features to any number of outputs; it is copied.
        """
        if linear.weight.shape[1] != self.n_features:
            raise BackboneError(
                f"The new decision layer takes {linear.weight.shape[1]} features, but "
                f"{self.name} has {self.n_features}."
            )
        return with_head(self.module, self.split, linear, self.example)

    def _run(self, batch: Any) -> tuple[Tensor, Tensor]:
        batch = as_batch(batch).to(self.device)
        half = torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        )
        with torch.no_grad(), evaluating(self.module), half:
            if self.split is None:
                features = encoder_features(self.module, batch)
                return features, features
            return self.split.features(self.module, batch)

    def __repr__(self) -> str:
        if self.split is None:
            return f"Backbone({self.name!r}, {self.modality} encoder, {self.n_features} features)"
        return (
            f"Backbone({self.name!r}, {self.modality}, {self.n_features} features → "
            f"{self.split.n_outputs} outputs at layer {self.split.layer!r})"
        )


def _check_arguments(
    module: object, modality: str, class_names: Sequence[str] | None, batch_size: int
) -> None:
    if not isinstance(module, nn.Module):
        raise BackboneError(
            f"module must be a torch.nn.Module, got {type(module).__name__}. A network that "
            "clearhead knows by name is opened with open_backbone(name)."
        )
    if modality not in get_args(Modality):
        raise BackboneError(
            f"modality={modality!r}: it must be one of {', '.join(map(repr, get_args(Modality)))}."
        )
    if batch_size < 1:
        raise BackboneError(f"batch_size={batch_size}: it must be at least 1.")
    twice = [name for name, count in Counter(class_names or ()).items() if count > 1]
    if twice:
        raise BackboneError(
            f"class_names holds {twice[0]!r} more than once. Give each output of the network its "
            "own name."
        )


def _check_class_names(class_names: Sequence[str] | None, split: Split) -> None:
    wanted = {split.n_outputs} | ({2} if split.n_outputs == 1 else set())
    if class_names is not None and len(class_names) not in wanted:
        raise BackboneError(
            f"class_names has {len(class_names)} names, but the decision layer "
            f"{split.layer!r} has {split.n_outputs} outputs."
        )


def _activation(
    wanted: Activation | Literal["none"] | None, split: Split | None
) -> Activation | None:
    if wanted not in (None, "none", *get_args(Activation)):
        raise BackboneError(
            f"activation={wanted!r}: it must be one of 'softmax', 'sigmoid' and 'none'."
        )
    if split is None or wanted == "none":
        return None
    if split.n_outputs == 1:
        if wanted == "softmax":
            raise BackboneError(
                f"activation='softmax': the decision layer {split.layer!r} has one output, of "
                "which the softmax is always 1. Leave it out: a single output is a sigmoid's."
            )
        return "sigmoid"
    return wanted or "softmax"


def _twice(batch: Batch) -> Batch:
    """The first example of a prepared batch, two times: some networks take no batch of one."""
    n = len(batch)

    def cut(value: Any) -> Any:
        whole = isinstance(value, Tensor) and value.ndim and value.shape[0] == n
        return value[[0, 0]] if whole else value

    return Batch(
        args=tuple(cut(value) for value in batch.args),
        kwargs={name: cut(value) for name, value in batch.kwargs.items()},
    )


def check_alone(backbone: Backbone, together: Batch, alone: Sequence[Batch]) -> None:
    """Refuse a network whose features of an example depend on the rest of its batch.

    Parameters
    ----------
    backbone : Backbone
    together : Batch
        At least two examples.
    alone : sequence of Batch
        The first of these examples, each first in a batch without the others.

    Raises
    ------
    BackboneError
        Batch statistics or padding reach the features.
    """
    wanted = backbone.features(together)
    single = torch.cat([backbone.features(batch)[:1] for batch in alone])
    scale = max(1.0, float(wanted.abs().max()))
    error = float((wanted[: len(single)] - single).abs().max())
    dtype = next((value.dtype for value in backbone.module.parameters()), torch.float32)
    tolerance = max(_ALONE, 32 * torch.finfo(dtype).eps if dtype.is_floating_point else 0.0)
    if error > tolerance * scale:
        raise BackboneError(
            f"{backbone.name}: the deep features of an example change by up to {error:.3g} with "
            "the examples beside it in the batch, so they are not the example's own. Causes: "
            "batch normalisation without running statistics (track_running_stats=False), "
            "padding that the network does not mask (attention_mask, pad_token_id), or "
            "attention over the batch. Mend the network, or wrap it so that it works on one "
            "example at a time."
        )


def _weights_fingerprint(module: nn.Module) -> str:
    """xxh3-128 over names, shapes, dtypes and bytes of the state, in the order of names."""
    digest = xxhash.xxh3_128()
    for name, value in sorted(module.state_dict().items()):
        if not isinstance(value, Tensor):
            digest.update(f"{name} {value!r}\n".encode())
            continue
        tensor = value.detach().cpu().contiguous()
        digest.update(f"{name} {list(tensor.shape)} {tensor.dtype}\n".encode())
        if tensor.numel():
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
