"""What several folders of tests share: a real run, made once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import clearhead


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MiniLM on a few hundred Rotten Tomatoes sentences, every step done. Do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    run = clearhead.new_run(folder, "minilm", "rotten-tomatoes", limit=400)
    run.all(n_lambdas=20)
    return folder


@pytest.fixture
def run_folder(made_run: Path, tmp_path: Path) -> Path:
    """A copy of :func:`made_run` that a test may change."""
    return Path(shutil.copytree(made_run, tmp_path / "small"))


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clearhead", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return call
