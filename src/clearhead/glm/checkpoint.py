"""Finished points on disk, so that a killed fit goes on where it was.

Each point is two files, written whole or not at all: ``point-0007.safetensors`` and
then ``point-0007.json`` with its checksum and the fingerprint of the problem. Points of
another problem are deleted. Nothing here is believed: what is resumed is certified
again from its coefficients.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from clearhead._files import load_arrays, read_json, remove_temporaries, save_arrays, write_json
from clearhead._types import FloatArray
from clearhead.errors import CorruptFileError
from clearhead.glm.path import SparseCoefficients

__all__ = ["Checkpoint"]


class Checkpoint:
    """The finished points of one problem.

    Parameters
    ----------
    folder : Path
        Made when the first point is written.
    fingerprint : str
        Of the problem.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder, self._fingerprint = folder, fingerprint

    def _files(self, i: int) -> tuple[Path, Path]:
        stem = f"point-{i:04d}"
        return self._folder / f"{stem}.safetensors", self._folder / f"{stem}.json"

    def write(self, i: int, W: FloatArray, b: FloatArray, status: str) -> None:
        """Keep point `i`."""
        sparse = SparseCoefficients.of(W)
        arrays, header = self._files(i)
        digest = save_arrays(
            arrays,
            {
                "indices": sparse.indices,
                "values": sparse.values,
                "intercept": b,
                "shape": np.array(sparse.shape),
            },
        )
        write_json(header, {"fingerprint": self._fingerprint, "checksum": digest, "status": status})

    def read(self, n_points: int) -> list[tuple[FloatArray, FloatArray, str]]:
        """Give coefficients, intercept and status of the points that were finished, in order.

        It stops at the first that is missing, damaged or of another problem, and
        deletes what is left.
        """
        if not self._folder.is_dir():
            return []
        remove_temporaries(self._folder)
        points = []
        for i in range(n_points):
            point = self._read_one(i)
            if point is None:
                break
            points.append(point)
        self._delete(from_point=len(points))
        return points

    def _read_one(self, i: int) -> tuple[FloatArray, FloatArray, str] | None:
        arrays_file, header_file = self._files(i)
        try:
            header = read_json(header_file)
            if header["fingerprint"] != self._fingerprint:
                return None
            arrays = load_arrays(arrays_file, header["checksum"])
            rows, columns = (int(v) for v in arrays["shape"])
            sparse = SparseCoefficients(arrays["indices"], arrays["values"], (rows, columns))
            return sparse.dense(), arrays["intercept"], str(header["status"])
        except (FileNotFoundError, CorruptFileError, KeyError, TypeError, ValueError, IndexError):
            return None

    def _delete(self, from_point: int) -> None:
        for file in self._folder.glob("point-*"):
            number = file.stem.partition("-")[2]
            if number.isdigit() and int(number) >= from_point:
                with contextlib.suppress(OSError):
                    file.unlink()
