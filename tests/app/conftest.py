"""A small run whose network is known, and its app."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import clearhead
from clearhead.app import Server
from clearhead.data import TextDataset
from tests.debug import counted

if TYPE_CHECKING:
    from starlette.testclient import TestClient

HOSTILE = "</script><script>window.pwned=1</script> <img src=x onerror=alert(1)> \ud800 \u202e"


def labelled() -> TextDataset:
    made = counted.dataset(0.5, n=240)
    texts = [made.load(row) for row in range(len(made))]
    labels = [made.class_names[int(c)] for c in made.labels]
    texts[:3] = [f"{text} {HOSTILE}" for text in texts[:3]]
    return TextDataset.from_texts(
        texts, labels, name="<b>words</b>", seed=0, class_names=counted.CLASSES
    )


@pytest.fixture(scope="session")
def made_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything done quickly. Do not change it."""
    folder = tmp_path_factory.mktemp("app") / "small"
    run = clearhead.new_run(folder, counted.network(), labelled())
    run.all(n_lambdas=12, rule="best", effort="quick")
    return folder


@pytest.fixture
def run(made_small: Path, tmp_path: Path) -> clearhead.Run:
    """A copy that a test may change, with network and data at hand."""
    folder = shutil.copytree(made_small, tmp_path / "small")
    return clearhead.new_run(folder, counted.network(), labelled())


@pytest.fixture
def server(run: clearhead.Run) -> Iterator[Server]:
    made = Server(run)
    yield made
    made.close()


@pytest.fixture
def client(server: Server) -> TestClient:
    """A program that shows the token."""
    from starlette.testclient import TestClient

    return TestClient(
        server.app,  # type: ignore[arg-type]
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"Authorization": f"Bearer {server.keys.token}"},
    )
