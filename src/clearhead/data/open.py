"""Open labelled data by a name, a path, or from another library's object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearhead.data.adapters import read_source
from clearhead.data.build import build
from clearhead.data.dataset import Dataset
from clearhead.data.draw import draw
from clearhead.data.labels import check_strict
from clearhead.data.options import Options
from clearhead.data.splits import HELD_OUT
from clearhead.errors import DataError

__all__ = ["open_dataset", "open_examples"]


def open_dataset(
    spec: Any,
    *,
    text_column: str | None = None,
    image_column: str | None = None,
    label_column: str | Sequence[str] | None = None,
    label_separator: str | None = None,
    label: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    id_column: str | None = None,
    class_names: Sequence[str] | None = None,
    validation: float = HELD_OUT,
    test: float = HELD_OUT,
    balance_held_out: bool = False,
    seed: int = 0,
    strict: bool = False,
    limit: int | None = None,
) -> Dataset:
    """Open labelled examples by a name or a path, or from another library's object.

    Parameters
    ----------
    spec : str, Path, DataFrame, (X, y), or a data set of another library
        ``"rotten-tomatoes"``, ``"imdb"`` or ``"elpv"``, which come with the
        ``demo`` extra; or a folder with one sub-folder of images per class (or
        ``train/``, ``validation/``, ``test/`` above them); or a CSV, TSV, JSON lines or
        parquet file; or a folder of such files. A name wins over a folder of the same name:
        write ``./imdb`` for the folder. Or an object: a pandas or polars DataFrame; a pair of
        texts or images and labels; a ``datasets.Dataset`` or ``DatasetDict``, or the folder
        it was saved to; a torch ``Dataset`` or ``DataLoader``; a scikit-learn bunch; a dict
        of these by split.
    text_column, image_column : str or None
        The column of the texts, or of images or their paths (relative to the file); found
        among the usual names where None.
    label_column : str, sequence of str or None
        The column of the classes, or of lists of labels; or several columns of 0 and 1, one
        a label (also with commas between). Found among the usual names where None.
    label_separator : str or None
        What stands between the labels of one example (``"|"``), where it may have several.
    label : str or None
        One of several labels, which becomes two classes: without and with it.
    split_column, id_column : str or None
        Columns of splits and ids; ``split`` and ``id`` are found by that name.
    group_column : str or None
        Examples that agree in it stay on one side of the splits that are made.
    class_names : sequence of str or None
        The order of the classes (sorted where None), or their names where labels are 0, 1, ….
    validation, test : float
        Shares of train that these splits take where the data lack them; stratified.
    balance_held_out : bool
        Draw the classes of validation and test down to equal size.
    seed : int
        For the splits that are made.
    strict : bool
        What is otherwise counted in ``problems`` (an empty text, a file among
        the images that is none) is an error.
    limit : int or None
        Keep only so many examples, drawn evenly from every class and split.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        Says what is wrong with the data, where, and the mend.
    MissingDependencyError
        The package that brings the data is not installed.
    """
    if limit is not None and limit < 1:
        raise DataError(f"limit must be at least 1, got {limit}.")
    options = Options(
        text_column=text_column,
        image_column=image_column,
        label_column=label_column,
        label_separator=label_separator,
        label=label,
        split_column=split_column,
        group_column=group_column,
        id_column=id_column,
        class_names=class_names,
        validation=validation,
        test=test,
        seed=seed,
        strict=strict,
    )
    dataset = build(read_source(spec), options)
    check_strict(strict, dataset.problems)
    return draw(dataset, balance_held_out=balance_held_out, limit=limit, seed=seed)


def open_examples(
    spec: Any,
    class_names: Sequence[str],
    *,
    text_column: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Dataset:
    """Open labelled examples to be added to others: no split is made, and one class is enough.

    Parameters
    ----------
    spec
        As in :func:`open_dataset`; splits that it has are passed over.
    class_names : sequence of str
        The classes that labels may be of.
    text_column, image_column, label_column : str or None
        As in :func:`open_dataset`.

    Raises
    ------
    DataError
        There are no examples, or one is of another class.
    """
    options = Options(
        text_column=text_column,
        image_column=image_column,
        label_column=label_column,
        class_names=class_names,
        whole=True,
    )
    return build(read_source(spec), options)
