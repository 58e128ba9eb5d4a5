"""Deep features of real data, extracted once by clearhead and kept in a cache folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearhead.backbones import Backbone, open_backbone
from clearhead.data import Dataset
from clearhead.events import Event
from clearhead.features import extract

CACHE = Path("~/.cache/clearhead-bench").expanduser()


class NoDataError(Exception):
    """A data set is not on this machine; the message says where it comes from."""


@dataclass(frozen=True)
class Source:
    """Where features come from.

    Parameters
    ----------
    name : str
        Also the name of the files in the cache.
    open_data : callable
        From the folder given with ``--data`` (or None) to a data set; raises NoDataError.
    backbone : callable
        Opens the network.
    split : {"train", None}
        Rows that are fitted; None takes all.
    """

    name: str
    open_data: Callable[[Path | None], Dataset]
    backbone: Callable[[], Backbone]
    split: str | None = None

    def cached(self, cache: Path, rows: int | None = None) -> Path:
        """Return the file that holds the features of all rows, or of so many, once extracted."""
        return cache / (f"{self.name}.npz" if rows is None else f"{self.name}-{rows}.npz")

    def load(
        self, cache: Path, data: Path | None, rows: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features (n, p) float32 and labels (n,) int64; extract them if need be.

        With `rows` only so many, which :func:`choose` chooses; only these are extracted.
        """
        whole, part = self.cached(cache), self.cached(cache, rows)
        if not (whole.is_file() or part.is_file()):
            self._extract(cache, data, rows)
        with np.load(whole if whole.is_file() else part) as kept:
            X, y = kept["X"], kept["y"]
        return take(X, y, rows)

    def _extract(self, cache: Path, data: Path | None, rows: int | None) -> None:
        dataset = self.open_data(data)
        wanted = np.arange(len(dataset)) if self.split is None else dataset.indices(self.split)
        dataset = dataset.take(wanted[choose(len(wanted), rows)])
        path = self.cached(cache, rows)
        out = cache / "stores" / path.stem
        out.parent.mkdir(parents=True, exist_ok=True)
        print(f"extracting {len(dataset):,} rows of {dataset.name} (once) ...", flush=True)
        store = extract(self.backbone(), dataset, out, on_event=_Progress())
        temporary = cache / f".{path.name}"
        np.savez(temporary, X=store.matrix(), y=store.labels())
        os.replace(temporary, path)  # noqa: PTH105 - a whole file or none


def choose(n: int, rows: int | None) -> np.ndarray:
    """Return `rows` of n positions, ascending, always the same; all of them for None."""
    if rows is None or rows >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).permutation(n)[:rows])


def take(X: np.ndarray, y: np.ndarray, rows: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Take the rows that :func:`choose` chooses."""
    chosen = choose(len(y), rows)
    return X[chosen], y[chosen]


def minilm() -> Backbone:
    """Open the sentence encoder of 384 features."""
    return open_backbone("minilm")


def lite0() -> Backbone:
    """Open the image network of 1,280 features."""
    return open_backbone("efficientnet-lite0")


def folder_of(data: Path | None, name: str, origin: str) -> Path:
    """Return the sub-folder of ``--data`` that holds `name`; say where it comes from if absent."""
    if data is None or not (data / name).is_dir():
        raise NoDataError(f"needs --data DIR with a folder {name}/ ({origin})")
    return data / name


class _Progress:
    """Prints a line for every 10 % of an extraction."""

    def __init__(self) -> None:
        self.next = 0.0

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.kind == "progress" and event.total and (event.done or 0) >= self.next:
            self.next = (event.done or 0) + event.total / 10
            print(f"  {event.done:,}/{event.total:,} {event.message}", flush=True)
