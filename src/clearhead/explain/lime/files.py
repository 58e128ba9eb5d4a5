"""How explanations are kept: arrays of unlike length end to end, with where each begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearhead._files import load_arrays, read_json, save_arrays, storable, write_json
from clearhead._types import IntArray
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError
from clearhead.explain.lime.explanation import LimeExplanation
from clearhead.explain.parts import Parts

__all__ = ["LIME_SCHEMA", "load_explanations", "save_explanations"]

LIME_SCHEMA = 1
_BY_PART = ("weight", "std_error")
_BY_EXAMPLE = ("intercept", "r2", "activation")


def save_explanations(
    folder: Path | str,
    features: IntArray,
    explanations: Sequence[LimeExplanation],
    *,
    name: str = "lime",
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write ``NAME.safetensors`` and then ``NAME.json``, which names its checksum.

    Parameters
    ----------
    folder : Path or str
    features : ndarray of shape (u,), int
    explanations : sequence of LimeExplanation
        Their arrays have u columns.
    name : str
    extra : mapping, optional
        JSON to keep beside them.
    """
    folder, u = Path(folder), len(features)
    arrays: dict[str, Any] = {"features": np.asarray(features, dtype=np.int64)}
    arrays["offsets"] = np.cumsum([0, *(len(one.parts) for one in explanations)], dtype=np.int64)
    for field in _BY_PART:
        rows = [np.zeros((0, u)), *(getattr(one, field) for one in explanations)]
        arrays[field] = np.concatenate(rows).astype(np.float32)
    for field in _BY_EXAMPLE:
        rows = [getattr(one, field) for one in explanations]
        arrays[field] = np.array(rows, dtype=np.float32).reshape(len(rows), u)
    for number, one in enumerate(explanations):
        if one.parts.spans is not None:
            arrays[f"spans.{number}"] = one.parts.spans.astype(np.int64)
        if one.parts.segments is not None:
            arrays[f"segments.{number}"] = one.parts.segments.astype(np.uint16)
        if one.parts.picture is not None:
            arrays[f"picture.{number}"] = one.parts.picture
    checksum = save_arrays(folder / f"{name}.safetensors", arrays)
    examples: list[dict[str, Any]] = [
        {
            "id": storable(one.id),
            "kind": one.parts.kind,
            "words": list(map(storable, one.parts.words)),
        }
        for one in explanations
    ]
    described = {
        "schema_version": LIME_SCHEMA,
        "files": {f"{name}.safetensors": checksum},
        "examples": examples,
        **(extra or {}),
    }
    write_json(folder / f"{name}.json", described)


def load_explanations(
    folder: Path | str, *, name: str = "lime"
) -> tuple[IntArray, tuple[LimeExplanation, ...], dict[str, Any]]:
    """Read what :func:`save_explanations` wrote: features, explanations and the JSON.

    Raises
    ------
    StepMissingError, SchemaVersionError, CorruptFileError
    """
    folder = Path(folder)
    path = folder / f"{name}.json"
    if not path.exists():
        raise StepMissingError(f"There are no LIME explanations in {folder}: run explain first.")
    described = read_json(path)
    version = described.get("schema_version", 0) if isinstance(described, dict) else 0
    if version > LIME_SCHEMA:
        raise SchemaVersionError(
            f"{path} has schema version {version}; this clearhead reads up to {LIME_SCHEMA}. "
            "Upgrade clearhead to open it."
        )
    try:
        arrays = load_arrays(
            folder / f"{name}.safetensors", described["files"][f"{name}.safetensors"]
        )
        examples = described["examples"]
        found = tuple(_explanation(number, one, arrays) for number, one in enumerate(examples))
        return arrays["features"], found, described
    except (KeyError, TypeError, IndexError) as error:
        raise CorruptFileError(f"{path} lacks {error}. Delete it and run explain again.") from error


def _explanation(number: int, example: Mapping[str, Any], arrays: Mapping[str, Any]) -> Any:
    first, last = arrays["offsets"][number : number + 2]
    segments = arrays.get(f"segments.{number}")
    parts = Parts(
        example["kind"],
        words=tuple(example["words"]),
        spans=arrays.get(f"spans.{number}"),
        segments=None if segments is None else segments.astype(np.int64),
        picture=arrays.get(f"picture.{number}"),
    )
    return LimeExplanation(
        id=example["id"],
        features=arrays["features"],
        parts=parts,
        **{field: arrays[field][first:last] for field in _BY_PART},
        **{field: arrays[field][number] for field in _BY_EXAMPLE},
    )
