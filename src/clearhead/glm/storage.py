"""A path on disk: ``path.json``, ``coef.safetensors`` and, for people, ``points.csv``.

``coef.safetensors`` holds every number; ``path.json`` the names, the settings and the
checksum of that file. ``points.csv`` is a copy to read elsewhere: it is never read
back, so that editing it changes nothing.

Arrays of ``coef.safetensors`` (L points, O rows of coefficients, p features):
``lambdas``, ``gaps``, ``kkt`` (L,); ``intercepts`` (L, O); ``center``, ``scale``,
``penalty_factor`` (p,); ``dead``, ``banned`` (p,) as uint8; ``values`` (nnz,) and
``indices`` (nnz,), positions in the flattened (O, p), of all points one after the other,
point i between ``offsets[i]`` and ``offsets[i + 1]``; for each split ``loss.SPLIT`` (L,)
and ``accuracy.SPLIT`` (L, 3): value, low, high; for the gaussian family ``r2.SPLIT`` (L,)
in its place.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from clearhead._files import load_arrays, read_json, save_arrays, write_bytes, write_json
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError
from clearhead.glm.accuracy import Accuracy
from clearhead.glm.path import Path, SparseCoefficients

__all__ = ["SCHEMA_VERSION", "load_path", "save_path"]

SCHEMA_VERSION = 1


def save_path(path: Path, folder: FilePath) -> None:
    """Write `path` into `folder`; ``path.json`` last, so that it is whole or absent."""
    offsets = np.cumsum([0] + [len(c.indices) for c in path.coefficients])
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "lambdas": path.lambdas,
        "gaps": path.gaps,
        "kkt": path.kkt,
        "intercepts": path.intercepts,
        "center": path.center,
        "scale": path.scale,
        "penalty_factor": path.penalty_factor,
        "dead": path.dead.astype(np.uint8),
        "banned": path.banned.astype(np.uint8),
        "offsets": offsets.astype(np.int64),
        "indices": np.concatenate([c.indices for c in path.coefficients]).astype(np.int64),
        "values": np.concatenate([c.values for c in path.coefficients]),
    }
    for split, losses in path.losses.items():
        arrays[f"loss.{split}"] = losses
    for split, r2 in path.r2.items():
        arrays[f"r2.{split}"] = r2
    for split, accuracies in path.accuracies.items():
        arrays[f"accuracy.{split}"] = np.array([(a.value, a.low, a.high) for a in accuracies])
    digest = save_arrays(folder / "coef.safetensors", arrays)
    table = path.to_frame().to_csv(index=False, float_format="%.17g")
    write_bytes(folder / "points.csv", table.encode())
    write_json(
        folder / "path.json",
        {
            "schema_version": SCHEMA_VERSION,
            "family": path.family,
            "classes": list(path.classes),
            "class_names": list(path.class_names),
            "shape": list(path.coefficients[0].shape),
            "l1_ratio": path.l1_ratio,
            "grouped": path.grouped,
            "tol": path.tol,
            "lambda_max": path.lambda_max,
            "null_loss": path.null_loss,
            "status": path.status,
            "n_samples": path.n_samples,
            "fingerprint": path.fingerprint,
            "checksums": {"coef.safetensors": digest},
        },
    )


def load_path(folder: FilePath) -> Path:
    """Read the path in `folder`.

    Raises
    ------
    StepMissingError
        If there is none.
    SchemaVersionError
        If a newer clearhead wrote it.
    CorruptFileError
        If a file is damaged.
    """
    header_file = folder / "path.json"
    if not header_file.exists():
        raise StepMissingError(
            f"{folder} holds no path (path.json is missing). Fit one first, with clearhead fit "
            "or fit_path(...).save(folder)."
        )
    header = read_json(header_file)
    try:
        version = int(header["schema_version"])
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{header_file} has schema version {version}; this clearhead reads up to "
                f"{SCHEMA_VERSION}. Install a newer clearhead to open it."
            )
        arrays = load_arrays(folder / "coef.safetensors", header["checksums"]["coef.safetensors"])
        return _build(header, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFileError(
            f"{header_file} does not describe a path ({type(error).__name__}: {error}). Delete the "
            "folder and fit the path again."
        ) from error


def _build(header: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Path:
    ends, shape = arrays["offsets"], (int(header["shape"][0]), int(header["shape"][1]))
    coefficients = tuple(
        SparseCoefficients(arrays["indices"][a:b], arrays["values"][a:b], shape)
        for a, b in pairwise(ends)
    )
    counts = {str(k): int(v) for k, v in header["n_samples"].items()}
    accuracies = {
        split: tuple(
            Accuracy(float(value), float(low), float(high), n)
            for value, low, high in arrays[f"accuracy.{split}"]
        )
        for split, n in counts.items()
        if f"accuracy.{split}" in arrays
    }
    return Path(
        lambdas=arrays["lambdas"],
        coefficients=coefficients,
        intercepts=arrays["intercepts"],
        gaps=arrays["gaps"],
        kkt=arrays["kkt"],
        status=[str(s) for s in header["status"]],
        losses={split: arrays[f"loss.{split}"] for split in counts},
        accuracies=accuracies,
        # Paths of older versions have none.
        r2={split: arrays[f"r2.{split}"] for split in counts if f"r2.{split}" in arrays},
        center=arrays["center"],
        scale=arrays["scale"],
        dead=arrays["dead"].astype(bool),
        banned=arrays["banned"].astype(bool),
        penalty_factor=arrays["penalty_factor"],
        classes=tuple(header["classes"]),
        class_names=tuple(header["class_names"]),
        family=str(header["family"]),
        l1_ratio=float(header["l1_ratio"]),
        tol=float(header["tol"]),
        lambda_max=float(header["lambda_max"]),
        null_loss=float(header["null_loss"]),
        n_samples=counts,
        fingerprint=str(header["fingerprint"]),
        grouped=bool(header.get("grouped", False)),
    )
