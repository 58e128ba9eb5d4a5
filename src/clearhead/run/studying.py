"""Questionnaires for people about a run, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearhead._files import read_json, write_bytes, write_json
from clearhead.data import Dataset
from clearhead.debug import SplitView
from clearhead.debug.study import (
    ARMS,
    KINDS,
    Arm,
    Kind,
    Study,
    StudyResult,
    StudySource,
    check_key,
)
from clearhead.debug.study import make_study as make
from clearhead.debug.study import read_study as read
from clearhead.errors import ClearheadError, CorruptFileError, DataError, StepMissingError
from clearhead.run.examples import ExampleKeeper
from clearhead.run.run import Run

__all__ = ["make_study", "read_study"]


def make_study(
    run: Run,
    out: Path | str,
    *,
    n_questions: int = 24,
    kinds: Sequence[Kind] = KINDS,
    arms: Sequence[Arm] = ARMS,
    seed: int = 0,
) -> Study:
    """Write a questionnaire to `out`, and its key to ``study/`` in the run.

    Parameters
    ----------
    run : Run
        Explained, with whatever effort.
    out : path
        The page: one HTML file to hand to people.
    n_questions, kinds, arms, seed
        As in :func:`clearhead.debug.study.make_study`.

    Raises
    ------
    StepMissingError
        The run is not explained.
    InputError
        No question can be asked, or an option is wrong.
    """
    source = StudySource(
        views={arm: _view(run, arm) for arm in ARMS},
        index=run.index,
        show=_Shower(run),
        explained=run.explained,
    )
    study = make(source, n_questions=n_questions, kinds=kinds, arms=arms, seed=seed)
    write_json(_folder(run) / f"{study.id}.json", dict(study.key))
    write_bytes(Path(out), study.page.encode("utf-8"))
    return study


def read_study(run: Run, files: Sequence[Path | str]) -> StudyResult:
    """Analyse what people answered; see :func:`clearhead.debug.study.read_study`.

    Parameters
    ----------
    run : Run
        That the questionnaire was made from: it holds the key.
    files : sequence of path
        Downloaded from the page, one a person.
    """
    keys = [_key(path) for path in sorted(_folder(run).glob("*.json"))]
    if not keys:
        raise StepMissingError(
            f"{run.folder} has no study: make one with `clearhead study make {run.folder}`."
        )
    return read(keys, [Path(file) for file in files])


def _key(path: Path) -> Mapping[str, Any]:
    """Read the key of one study.

    Raises
    ------
    CorruptFileError, SchemaVersionError
        It is damaged, or a newer version made it.
    """
    mend = "Make the study again with the same options and seed: its key is the same."
    try:
        key = read_json(path)
        check_key(key)
    except CorruptFileError as error:
        raise CorruptFileError(
            f"{path}, the key of a study, is damaged ({error.__cause__!r}). {mend}"
        ) from error
    found: Mapping[str, Any] = key
    return found


def _folder(run: Run) -> Path:
    return run.folder / "study"


def _view(run: Run, arm: Arm) -> SplitView:
    """The test split as one of the layers sees it."""
    layer, store = run.layer(arm), run.store
    rows = store.split == "test"
    nothing = pd.DataFrame(index=range(int(np.count_nonzero(rows))))
    features, labels = store.matrix("test"), store.labels("test")
    return SplitView.of(layer, layer, features, labels, ids=store.ids[rows], metadata=nothing)


class _Shower:
    """Shows an example: what the run kept of it, else from the data themselves."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._keeper = ExampleKeeper(run.folder / "examples")

    def __call__(self, key: str) -> str | bytes | None:
        kept = self._keeper.get(key)
        found = kept.jpeg or kept.text
        if found is not None or self._dataset is None:
            return found
        try:
            shown = self._dataset.show(self._rows[key])
        except (DataError, KeyError, OSError):
            return None
        return shown.jpeg if shown.kind == "image" else shown.text

    @cached_property
    def _dataset(self) -> Dataset | None:
        try:
            return self.run.dataset
        except (ClearheadError, OSError):  # it has moved; what was kept is all there is
            return None

    @cached_property
    def _rows(self) -> dict[str, int]:
        assert self._dataset is not None
        return {str(key): row for row, key in enumerate(self._dataset.ids)}
