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

    def cached(self, cache: Path) -> Path:
        """Return the file that holds the features once they are extracted."""
        return cache / f"{self.name}.npz"

    def load(self, cache: Path, data: Path | None) -> tuple[np.ndarray, np.ndarray]:
        """Return features (n, p) float32 and labels (n,) int64; extract them if need be."""
        path = self.cached(cache)
        if not path.is_file():
            self._extract(cache, data)
        with np.load(path) as kept:
            return kept["X"], kept["y"]

    def _extract(self, cache: Path, data: Path | None) -> None:
        dataset = self.open_data(data)
        cache.mkdir(parents=True, exist_ok=True)
        out = cache / "stores" / self.name
        out.parent.mkdir(exist_ok=True)
        store = extract(self.backbone(), dataset, out, on_event=_say)
        temporary = cache / f".{self.name}.npz"
        np.savez(temporary, X=store.matrix(self.split), y=store.labels(self.split))
        os.replace(temporary, self.cached(cache))  # noqa: PTH105 - a whole file or none


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


_said = 0.0


def _say(event: Event) -> None:
    """Print a line for every 5 % of an extraction."""
    global _said  # noqa: PLW0603 - one extraction at a time
    if event.kind != "progress" or not event.total:
        return
    share = (event.done or 0) / event.total
    if share < _said or share >= _said + 0.05:
        _said = share
        print(f"  {event.done:,}/{event.total:,} {event.message}", flush=True)
