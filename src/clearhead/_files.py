"""How a file is written so that it is whole or absent, and checked when read.

Every file goes to a temporary name in the same folder, is flushed to the disk
and renamed. A process killed at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash
from safetensors import SafetensorError
from safetensors.numpy import load as _load_safetensors
from safetensors.numpy import save as _save_safetensors

from clearhead.errors import CorruptFileError, StorageError, StorageFullError

__all__ = [
    "checksum",
    "explain_os_errors",
    "fingerprint",
    "known_fields",
    "load_arrays",
    "read_json",
    "remove_temporaries",
    "save_arrays",
    "storable",
    "whole_or_absent",
    "write_bytes",
    "write_json",
]

_TEMPORARY = ".tmp-"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"No space left on the device while writing {path}. Everything finished "
                "before is kept: free some space and run the same command again."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS):
            raise StorageError(
                f"{path} cannot be written: {error.strerror}. Choose another folder with --out "
                "or change its permissions."
            ) from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
            raise StorageError(
                f"{path} cannot be written: {error.strerror}. A file stands where a folder should "
                "be, or a folder where a file should be: choose another --out."
            ) from error
        raise


@contextlib.contextmanager
def whole_or_absent(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write in a stream; it appears under its name only when it is whole."""
    path = Path(path)
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path` atomically and durably."""
    with whole_or_absent(path) as file:
        file.write(data)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; not every file system can, so failure is not an error."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_temporaries(folder: Path) -> None:
    """Delete what a killed process left half written in `folder`."""
    for leftover in Path(folder).glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def write_json(path: Path, value: Mapping[str, Any] | list[Any]) -> None:
    """Write `value` as readable UTF-8 JSON, atomically; NaN and inf are refused."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    # Lone surrogates can come from data; they must not stop a run from being saved.
    write_bytes(path, (text + "\n").encode("utf-8", "replace"))


def read_json(path: Path) -> Any:
    """Read JSON; a missing or damaged file raises :class:`CorruptFileError`."""
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise CorruptFileError(
            f"{path} is missing. Run the step that writes it again, with --force."
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(
            f"{path} is not valid JSON ({error}). Delete it and run the step that writes it again."
        ) from error


def storable(text: str) -> str:
    r"""Spell lone surrogates (from odd file names) as ``\udcff``: no file format takes them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def known_fields(kind: type[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Take from `value` what the dataclass `kind` has; newer files may hold more."""
    return {f.name: value[f.name] for f in dataclasses.fields(kind) if f.name in value}


def checksum(data: bytes | memoryview) -> str:
    """xxh3-128 of `data`, as hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(data)


def fingerprint(value: Any) -> str:
    """Fingerprint of any JSON-like value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return checksum(text.encode())


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """Write named arrays as one safetensors file; return its checksum."""
    data = _save_safetensors({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    write_bytes(path, data)
    return checksum(data)


def load_arrays(path: Path, expected: str) -> dict[str, np.ndarray[Any, Any]]:
    """Read a safetensors file whose checksum must be `expected`."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise CorruptFileError(
            f"{path} is missing. Run the step that writes it again (with --force)."
        ) from error
    if checksum(data) != expected:
        raise CorruptFileError(
            f"{path} is damaged: its checksum is {checksum(data)}, {expected} was recorded. "
            "Delete it and run the step that writes it again (with --force)."
        )
    try:
        return _load_safetensors(data)
    except SafetensorError as error:
        raise CorruptFileError(f"{path} is not a safetensors file: {error}") from error
