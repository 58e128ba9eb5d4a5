"""kill -9 and Ctrl-C anywhere: the same command goes on, and ends as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import clearhead

# The command line in a process that sends itself a signal at a given event: what a person or
# the kernel does, at a moment that is the same on a fast and on a slow machine.
PROGRAM = """
import os, signal, sys
# A test run in the background is born deaf to Ctrl-C; this process is not.
signal.signal(signal.SIGINT, signal.default_int_handler)
from clearhead.cli import progress
step, text, how, *arguments = sys.argv[1:]
draw = progress.Progress.__call__
def call(self, event):
    draw(self, event)
    if event.step == step and f"{event.kind} {event.done} {event.message}".startswith(text):
        os.kill(os.getpid(), getattr(signal, how))
progress.Progress.__call__ = call
sys.argv[1:] = arguments
from clearhead.cli import main
main()
"""
COMMAND = (
    *("run", "minilm", "rotten-tomatoes", "--limit", "400", "--n-lambdas", "20", "--quick"),
    "--out",
)


def run_until(step: str, text: str, how: str, out: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, step, text, how, *COMMAND, str(out)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stderr


def features(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "features").iterdir()) if p.is_file()}


MOMENTS = {
    "extraction begins": ("extract", "start"),
    "inside the path": ("fit", "progress 8 sparse"),
    "between the paths": ("fit", "end 25 dense"),
    "after selecting": ("select", "end"),
    "debugging": ("debug", "progress 2"),
}


@pytest.mark.parametrize("moment", sorted(MOMENTS))
def test_killed_run_goes_on_and_ends_the_same(tmp_path: Path, made_run: Path, moment: str) -> None:
    out = tmp_path / "small"
    code, said = run_until(*MOMENTS[moment], "SIGKILL", out)
    assert code == -signal.SIGKILL, said
    code, said = run_until("never", "", "SIGKILL", out)
    assert code == 0, said
    assert features(out) == features(made_run)
    ours, theirs = clearhead.open_run(out), clearhead.open_run(made_run)
    assert set(ours.path().status) == {"optimal"}
    assert ours.selection == theirs.selection
    assert json.loads((out / "findings.json").read_text()) == json.loads(
        (made_run / "findings.json").read_text()
    )
    leftovers = [p for p in out.rglob("*") if ".tmp-" in p.name or "unfinished" in p.name]
    assert leftovers == []


@pytest.mark.parametrize("moment", ["extraction begins", "inside the path"])
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, moment: str) -> None:
    code, said = run_until(*MOMENTS[moment], "SIGINT", tmp_path / "small")
    assert code == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
