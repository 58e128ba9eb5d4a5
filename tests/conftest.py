"""What several folders of tests share: a real run, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import clearhead


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MiniLM on a few hundred Rotten Tomatoes sentences, every step done. Do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    run = clearhead.new_run(folder, "minilm", "rotten-tomatoes", limit=400)
    run.all(n_lambdas=20, effort="quick")
    return folder


@pytest.fixture
def run_folder(made_run: Path, tmp_path: Path) -> Path:
    """A copy of :func:`made_run` that a test may change."""
    return Path(shutil.copytree(made_run, tmp_path / "small"))
