"""Comments of Wikipedia's talk pages with six labels, in the files of the Kaggle challenge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clearhead.data import Problem, TextDataset
from clearhead.data.delimited import Rows
from clearhead.errors import DataError
from clearhead.reproduce.reading import Asked, column, existing_folder, read_table

__all__ = ["LABELS", "read_jigsaw"]

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
_LAYOUT = "train.csv, and test.csv with test_labels.csv beside it"
_NOT_SCORED = "-1"


@dataclass(frozen=True)
class _Part:
    ids: list[str]
    texts: list[str]
    values: list[str]


def read_jigsaw(path: Path, asked: Asked) -> TextDataset:
    """Read one label of the comments: two classes, ``"not toxic"`` and ``"toxic"``.

    The test split is ``test.csv`` with the labels of ``test_labels.csv``, joined by id; where
    a label is -1 the comment was not scored, and is left out. A single CSV file with the
    columns comment_text and the label is taken too; validation and test are then both drawn
    from it.

    Raises
    ------
    DataError
        A file, a column, an id or a label is not what it should be.
    """
    if path.is_file():
        table = read_table(path, _LAYOUT)
        parts = {"": _part(table, path, column(table, asked.label, path))}
    else:
        folder = existing_folder(path, _LAYOUT)
        train = folder / "train.csv"
        table = read_table(train, _LAYOUT)
        parts = {
            "train": _part(table, train, column(table, asked.label, train)),
            "test": _test(folder, asked.label),
        }
    problems, kept = [], []
    for split, part in parts.items():
        scored = [i for i, value in enumerate(part.values) if value != _NOT_SCORED]
        if len(scored) < len(part.values):
            count = len(part.values) - len(scored)
            message = f"{count:,} comments with {asked.label} = -1 were not scored; left out."
            problems.append(Problem("not scored", split or path.name, message))
        kept += [(split, part.ids[i], part.texts[i], part.values[i]) for i in scored]
    names = (f"not {asked.label}", asked.label)
    return TextDataset.from_texts(
        [text for _, _, text, _ in kept],
        [names[_class(value, key, asked.label)] for _, key, _, value in kept],
        name=f"jigsaw-{asked.label}",
        ids=[f"{split}:{key}" if split else key for split, key, _, _ in kept],
        split=[split for split, _, _, _ in kept] if "train" in parts else None,
        class_names=names,
        seed=asked.seed,
        validation=asked.validation,
        problems=problems,
    )


def _part(table: Rows, path: Path, values: list[str]) -> _Part:
    texts = column(table, "comment_text", path)
    ids = [str(line) for line in table.lines]
    if "id" in table.header:
        ids = column(table, "id", path)
    return _Part(ids, texts, values)


def _test(folder: Path, label: str) -> _Part:
    path = folder / "test.csv"
    table = read_table(path, _LAYOUT)
    if label in table.header:
        return _part(table, path, column(table, label, path))
    beside = folder / "test_labels.csv"
    scores = read_table(beside, _LAYOUT)
    by_id = dict(zip(column(scores, "id", beside), column(scores, label, beside), strict=True))
    keys = column(table, "id", path)
    lacking = [key for key in keys if key not in by_id]
    if lacking:
        raise DataError(
            f"{len(lacking):,} comments of {path} have no row in {beside.name}, the first has the "
            f"id {lacking[0]!r}. Both files must be of the same challenge."
        )
    return _part(table, path, [by_id[key] for key in keys])


def _class(value: str, key: str, label: str) -> int:
    if value not in ("0", "1"):
        raise DataError(
            f"Comment {key!r} has {label} = {value!r}; labels are 0, 1, or -1 where the comment "
            "was not scored."
        )
    return int(value)
