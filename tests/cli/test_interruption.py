"""kill -9 and Ctrl-C anywhere: the same command goes on, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import clearhead

COMMAND = ("run", "minilm", "rotten-tomatoes", "--limit", "400", "--n-lambdas", "20")


def start(out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clearhead", *COMMAND, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop_when(
    process: subprocess.Popen[str], reached: Callable[[], bool], how: signal.Signals
) -> tuple[int, str]:
    """Send `how` as soon as `reached`; returns the exit code and what was said."""
    deadline = time.monotonic() + 240
    while not reached():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def features(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "features").iterdir()) if p.is_file()}


STAGES: dict[str, Callable[[Path], bool]] = {
    "extraction begins": lambda out: (out / "features" / "manifest.json").exists(),
    "on the path": lambda out: len(list((out / "path").glob("sparse.unfinished/*"))) > 4,
    "explaining": lambda out: (out / "examples").exists(),
}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_killed_run_goes_on_and_ends_the_same(tmp_path: Path, made_run: Path, stage: str) -> None:
    out = tmp_path / "small"
    code, _ = stop_when(start(out), lambda: STAGES[stage](out), signal.SIGKILL)
    assert code == -signal.SIGKILL
    process = start(out)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert features(out) == features(made_run)
    ours, theirs = clearhead.open_run(out), clearhead.open_run(made_run)
    assert set(ours.path().status) == {"optimal"}
    assert ours.selection == theirs.selection
    assert json.loads((out / "findings.json").read_text()) == json.loads(
        (made_run / "findings.json").read_text()
    )
    leftovers = [p for p in out.rglob("*") if ".tmp-" in p.name or "unfinished" in p.name]
    assert leftovers == []


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "small"
    code, said = stop_when(start(out), lambda: STAGES["extraction begins"](out), signal.SIGINT)
    assert code == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
