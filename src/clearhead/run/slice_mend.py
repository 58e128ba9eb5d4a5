"""The mend of a weak slice or class, or of wrong labels: which examples, and what about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clearhead._types import BoolArray, IntArray, StrArray
from clearhead.debug import Finding, traits_of, where_holds
from clearhead.layer import Edit, Lam, OneOf, Relabel, Reweight
from clearhead.run.debugging import inputs_of, train_of

if TYPE_CHECKING:
    from clearhead.debug.labels.noise import Suspect
    from clearhead.run.run import Run

__all__ = ["mend_class", "mend_labels", "mend_slice"]

FACTOR = 2.0
"""What a class counts, or a slice of half of its class's examples or more, which cannot be lifted
to the rest's weight."""
LOST = 0.5
"""A class of which fewer examples are told is lost to the layer: a little more weight is little."""
ENOUGH = 10
"""Examples of a class in validation from which that can be said."""
MOST_DOUBTED = 0.5
"""Of no class are more labels changed or left out than this: a layer that was fitted to such labels
is no judge of them."""

FOLDS = 5


def mend_slice(run: Run, found: Finding, names: tuple[str, ...]) -> list[Edit]:
    """Let a slice count as much as the rest; where its labels look wrong, leave those out."""
    words = found.where
    for name in names:
        words = words.removesuffix(f", class {name}")
    if found.kind == "slice":
        column, equals, value = words.partition(" is ")
        binned = run.view("train").metadata
        if equals and column in binned.columns and (binned[column].astype(str) == value).any():
            inside = (binned[column].astype(str) == value).to_numpy()
            factor = _factor(run, inside, found.classes)
            return _or_again(run, Reweight(column, value, names, factor=factor))
    rows = _rows(run, words)
    if rows is None or not rows.any():
        return []
    if found.kind == "label_noise":
        return _doubted_in(run, rows, found.classes)
    factor, ids = _factor(run, rows, found.classes), tuple(_ids(run)[rows].tolist())
    return _or_again(run, Reweight(classes=names, ids=ids, factor=factor))


def mend_class(run: Run, names: tuple[str, ...]) -> list[Edit]:
    """Let classes that are told too seldom count more."""
    return _or_again(run, Reweight(classes=names, factor=FACTOR))


def mend_labels(run: Run, found: Finding) -> list[Edit]:
    """Give the examples that a finding doubts the class that they look like."""
    doubted = run.label_noise
    if doubted is None:
        return []
    return _relabelled(run, [one for one in doubted.suspects_of(found) if one.split == "train"])


def _rows(run: Run, words: str) -> BoolArray | None:
    """Training examples that a slice's words hold for; sights of examples where need be."""
    found = where_holds(words, run.view("validation"), run.view("train"))
    if found is None:
        inputs, _ = inputs_of(run)
        if inputs is not None:
            traits = traits_of(inputs)
            found = where_holds(words, run.view("validation", traits), run.view("train", traits))
    return found


def _factor(run: Run, inside: BoolArray, classes: Sequence[int]) -> float | None:
    """None, which is as much as the rest; or 2 where the slice is most of it."""
    of_class = np.isin(run.store.labels("train"), list(classes)) if classes else ~inside | inside
    return FACTOR if (inside & of_class).sum() >= of_class.sum() / 2 else None


def _doubted_in(run: Run, rows: BoolArray, classes: Sequence[int]) -> list[Edit]:
    """Relabel what is doubted within a slice; or leave out what no fold agrees with."""
    ids, labels = _ids(run), run.store.labels("train")
    rows = rows & (np.isin(labels, list(classes)) if classes else True)
    named, doubted = set(ids[rows].tolist()), run.label_noise
    suspects = [one for one in doubted.suspects if one.id in named] if doubted else []
    if suspects:
        return _relabelled(run, [one for one in suspects if one.split == "train"])
    view, _ = train_of(run)
    if view is None:
        return []
    scores = view.out_of_fold(FOLDS, 0)
    kept = np.flatnonzero(rows & (scores.argmax(axis=1) != labels))
    if _most_are(kept, labels):
        return _alike()
    return _or_again(run, Relabel(tuple(ids[kept].tolist()))) if len(kept) else []


def _relabelled(run: Run, suspects: Sequence[Suspect]) -> list[Edit]:
    """Give the surest suspects the class that they look like."""
    places = {key: row for row, key in enumerate(_ids(run).tolist())}
    names, labels = run.layer().class_names, run.store.labels("train")
    likely = {places[one.id]: names[one.likely] for one in suspects if one.id in places}
    kept = np.array(list(likely), dtype=np.int64)
    if _most_are(kept, labels):
        return _alike()
    if not len(kept):
        return []
    labels_now = tuple(likely[int(row)] for row in kept)
    return _or_again(run, Relabel(tuple(_ids(run)[kept].tolist()), labels_now))


def _or_again(run: Run, edit: Edit) -> list[Edit]:
    """Make an edit, and choose lam again or let all classes count alike if that does better.

    The layer's lam was chosen on the data as they were: where a class is lost, or its labels were
    wrong, few features were worth their penalty. Classes are only weighed where one is lost.
    """
    view = run.view("validation")
    told = np.bincount(view.labels, view.right, minlength=run.layer().n_classes)
    counts = np.bincount(view.labels, minlength=len(told))
    options: list[tuple[Edit, ...]] = [(edit,), (edit, Lam("again"))]
    if ((counts >= ENOUGH) & (told < LOST * counts)).any():
        options.append((edit, Reweight(), Lam("again")))
    return [OneOf(tuple(options))]


def _most_are(rows: IntArray, labels: IntArray) -> bool:
    """Whether these are most of a class."""
    doubted, n = np.bincount(labels[rows], minlength=labels.max() + 1), np.bincount(labels)
    return bool((doubted > MOST_DOUBTED * n).any())


def _alike() -> list[Edit]:
    """All classes count alike: what wrong labels that depend on the class alone leave right.

    Balanced accuracy on such labels rises and falls with that on the right ones, so the layer and
    its lam can be chosen by it, whatever share of the labels is wrong.

    References
    ----------
    Menon, van Rooyen, Ong, Williamson (2015), Learning from corrupted binary labels via
    class-probability estimation, ICML.
    """
    return [Reweight(), Lam("again")]


def _ids(run: Run) -> StrArray:
    found: StrArray = run.store.ids[run.store.split == "train"].astype(str)
    return found
