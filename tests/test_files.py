"""A file is whole or absent, and what is damaged is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearhead import _files
from clearhead.errors import CorruptFileError, StorageFullError

ARRAYS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    hnp.arrays(st.sampled_from([np.float64, np.float32, np.int64, np.bool_]), hnp.array_shapes()),
    min_size=1,
    max_size=3,
)


@given(arrays=ARRAYS)
def test_arrays_come_back_as_they_were(
    arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("arrays") / "a.safetensors"
    digest = _files.save_arrays(path, arrays)
    again = _files.load_arrays(path, digest)
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        np.testing.assert_array_equal(again[name], array)


@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(
    at: float, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("arrays") / "a.safetensors"
    digest = _files.save_arrays(path, {"x": np.arange(10.0)})
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match="damaged"):
        _files.load_arrays(path, digest)


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="is missing"):
        _files.load_arrays(tmp_path / "none", "0")
    path = tmp_path / "text"
    path.write_bytes(b"not safetensors")
    with pytest.raises(CorruptFileError, match="not a safetensors file"):
        _files.load_arrays(path, _files.checksum(b"not safetensors"))
    with pytest.raises(CorruptFileError, match="not valid JSON"):
        _files.read_json(path)


def test_json_takes_what_data_can_hold(tmp_path: Path) -> None:
    value = {"text": "a \ud800 lone surrogate, \x00, \u202eright to left", "n": [1, 2.5, None]}
    _files.write_json(tmp_path / "a.json", value)
    again = json.loads((tmp_path / "a.json").read_text())
    assert again["n"] == value["n"]
    assert again["text"].endswith("right to left")
    with pytest.raises(ValueError, match="JSON"):
        _files.write_json(tmp_path / "b.json", {"x": float("nan")})
    assert not (tmp_path / "b.json").exists()


WRITER = """
import sys, pathlib
from clearhead import _files
path = pathlib.Path(sys.argv[1])
for i in range(100_000):
    _files.write_bytes(path, bytes([i % 251]) * 200_000)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "data"
    for wait in (0.02, 0.05, 0.11):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while not path.exists():
            pass
        process.poll()
        subprocess.run(["sleep", str(wait)], check=True)
        process.kill()
        process.wait()
        data = path.read_bytes()
        assert len(data) == 200_000
        assert len(set(data)) == 1
    _files.remove_temporaries(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_there(small_disk: Path) -> None:
    path = small_disk / "data"
    _files.write_bytes(path, b"first")
    with pytest.raises(StorageFullError, match="free some space and run the same command again"):
        _files.write_bytes(path, b"x" * 200_000)
    assert path.read_bytes() == b"first"
    assert [p.name for p in small_disk.iterdir()] == ["data"]


FORBIDDEN = """
import os, pathlib, sys
from clearhead import _files
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere; nobody may not
_files.write_bytes(pathlib.Path(sys.argv[1]), b"")
"""


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    ran = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "StorageError" in ran.stderr
    assert "Permission denied. Choose another folder with --out" in ran.stderr
