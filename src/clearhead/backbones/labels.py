"""What a network's configuration says of its classes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from clearhead.backbones.backbone import Activation
from clearhead.errors import BackboneError

__all__ = ["activation_of", "class_names_of"]


def class_names_of(config: Any) -> tuple[str, ...] | None:
    """The classes by ``id2label``, in the order of the outputs; None if they were not named.

    Two classes of one name (ImageNet has two cranes) are told apart by their numbers.
    """
    labels = getattr(config, "id2label", None) or {}
    names = [str(labels[key]) for key in sorted(labels, key=int)]
    if not names or all(re.fullmatch(r"LABEL_\d+", name) for name in names):
        return None
    counts = Counter(names)
    return tuple(
        f"{name} ({number})" if counts[name] > 1 else name for number, name in enumerate(names)
    )


def activation_of(config: Any, wanted: str | None) -> Activation | None:
    """What makes probabilities of the outputs, by ``problem_type`` unless it is `wanted`."""
    if wanted is None:
        problem = getattr(config, "problem_type", None)
        wanted = {"multi_label_classification": "sigmoid", "regression": "none"}.get(problem or "")
    if wanted not in (None, "softmax", "sigmoid", "none"):
        raise BackboneError(
            f"activation={wanted!r}: it must be one of 'softmax', 'sigmoid' and 'none'."
        )
    return wanted  # type: ignore[return-value]
