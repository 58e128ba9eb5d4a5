"""Sentences of film reviews, good or bad, in the files of the reference."""

from __future__ import annotations

from pathlib import Path

from clearhead.data import Problem, TextDataset
from clearhead.errors import DataError
from clearhead.reproduce.reading import Asked, column, existing_folder, read_table

__all__ = ["read_sst"]

_LAYOUT = "train.tsv and test.tsv (or dev.tsv) of the columns sentence and label"
_NAMES = {"0": "negative", "1": "positive"}


def read_sst(path: Path, asked: Asked) -> TextDataset:
    """Read ``train.tsv`` and ``test.tsv``; validation is drawn from train.

    The test split is ``test.tsv``, or ``dev.tsv`` where there is none with labels (GLUE's has
    none; the reference's test file is GLUE's dev file).

    Raises
    ------
    DataError
        A file, a column or a label is not what it should be.
    """
    folder, problems = existing_folder(path, _LAYOUT), []
    test = folder / "test.tsv"
    dev = folder / "dev.tsv"
    if dev.is_file():
        if test.is_file() and "label" in read_table(test, _LAYOUT).header:
            problems.append(
                Problem(
                    "file beside the splits",
                    dev.name,
                    "dev.tsv was left out: as in the reference, test.tsv is the test split and "
                    "validation is drawn from train.tsv.",
                )
            )
        else:
            test = dev
    texts: list[str] = []
    labels: list[str] = []
    split: list[str] = []
    where: list[str] = []
    for file, name in ((folder / "train.tsv", "train"), (test, "test")):
        table = read_table(file, _LAYOUT)
        texts += column(table, "sentence", file)
        for line, value in zip(table.lines, column(table, "label", file), strict=True):
            if value not in _NAMES:
                raise DataError(
                    f"{file} line {line}: the label is {value!r}; it must be 0 (negative) or 1 "
                    "(positive)."
                )
            labels.append(_NAMES[value])
            split.append(name)
            where.append(f"{file.name} line {line}")
    return TextDataset.from_texts(
        texts,
        labels,
        name="sst",
        ids=where,
        split=split,
        class_names=("negative", "positive"),
        seed=asked.seed,
        validation=asked.validation,
        problems=problems,
    )
