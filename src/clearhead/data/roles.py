"""Which column is the text or the image, which the label, which the id, the split, the group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from clearhead.data.labels import listed
from clearhead.data.nearest import did_you_mean
from clearhead.data.options import Options
from clearhead.data.pixels import IMAGE_SUFFIXES
from clearhead.data.source import Table
from clearhead.errors import DataError

__all__ = ["Roles", "find_roles"]

_TEXT_NAMES = (
    "text", "sentence", "comment_text", "comment", "review", "review_text", "content", "tweet",
    "body", "document", "utterance", "question", "message", "post", "title",
)  # fmt: skip
_IMAGE_NAMES = (
    "image", "img", "image_path", "img_path", "image_file", "photo", "picture", "file_name",
    "filename", "file", "path", "filepath", "file_path",
)  # fmt: skip
_LABEL_NAMES = (
    "label", "labels", "class", "target", "category", "intent", "sentiment", "toxic", "toxicity",
    "topic", "emotion", "stars", "rating", "is_toxic", "spam", "y",
)  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """The columns that have a meaning; None where there is none.

    Parameters
    ----------
    example : str
        The column of the texts or images.
    is_image : bool
    labels : tuple of str
        One column of classes or of lists of labels, or several of 0 and 1.
    ids, split, group : str or None
    """

    example: str
    is_image: bool
    labels: tuple[str, ...]
    ids: str | None
    split: str | None
    group: str | None

    def taken(self) -> set[str]:
        """Columns that are no metadata. Groups are: examples can be sliced by them."""
        return {self.example, *self.labels, *(c for c in (self.ids, self.split) if c is not None)}


def find_roles(table: Table, options: Options) -> Roles:
    """Find the columns that were named, and the others by their usual names.

    Raises
    ------
    DataError
        Lists the columns, and the nearest to one that does not exist.
    """
    header = list(table.columns)
    text = _asked_for(table, options.text_column, "text_column")
    image = _asked_for(table, options.image_column, "image_column")
    labels = _asked_labels(table, options)
    if text is not None and image is not None:
        raise DataError(
            f"text_column='{text}' and image_column='{image}' were both given; an example is a "
            "text or an image. Leave one out."
        )
    if text is None and image is None:
        text, image = _guess_example(table, labels)
    if not labels:
        found = table.roles.get("label") or _usual(header, _LABEL_NAMES, {text, image})
        labels = () if found is None else (found,)
    example = text if text is not None else image
    if len(header) == 2 and (example is None) != (not labels):
        # Of two columns, the one that is not the example is the label.
        other = next(name for name in header if name != example and name not in labels)
        example, labels = (example or other), (labels or (other,))
    if example is None or not labels:
        raise _lacking(table, example, labels)
    if example in labels:
        raise DataError(
            f"Column '{example}' of {table.origin} cannot be both the "
            f"{'text' if image is None else 'image'} and the label. Name two columns; "
            f"there are: {', '.join(header)}."
        )
    return Roles(
        example=example,
        is_image=image is not None or (text is None and _holds_paths(table.columns[example])),
        labels=labels,
        ids=_asked_for(table, options.id_column, "id_column")
        or table.roles.get("id")
        or _named(header, "id"),
        split=_asked_for(table, options.split_column, "split_column")
        or table.roles.get("split")
        or _named(header, "split"),
        group=_asked_for(table, options.group_column, "group_column"),
    )


def _asked_for(table: Table, name: str | None, option: str) -> str | None:
    if name is None or name in table.columns:
        return name
    raise DataError(
        f"{table.origin} has no column '{name}' ({option}).{did_you_mean(name, table.columns)} "
        f"Its columns: {', '.join(table.columns)}."
    )


def _asked_labels(table: Table, options: Options) -> tuple[str, ...]:
    asked = options.label_column
    if asked is None:
        # A label that is a column of its own needs no other name.
        label = options.label
        return (label,) if label is not None and label in table.columns else ()
    if isinstance(asked, str):
        asked = [asked] if asked in table.columns else asked.split(",")
    names = tuple(_asked_for(table, name.strip(), "label_column") or "" for name in asked)
    if not names:
        raise DataError("label_column is empty. Name one column, or leave it out.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"label_column names {listed(twice)} more than once. Name each once.")
    return names


def _guess_example(table: Table, labels: Sequence[str]) -> tuple[str | None, str | None]:
    """The column of texts, or that of images, by what they hold or are called."""
    if "text" in table.roles or "image" in table.roles:
        return table.roles.get("text"), table.roles.get("image")
    header = list(table.columns)
    text = _usual(header, _TEXT_NAMES, set(labels))
    images = [name for name in header if name in table.images and name not in labels]
    if not images:
        free = [name for name in header if name not in labels]
        paths = [name for name in free if _holds_paths(table.columns[name])]
        named = _usual(paths, _IMAGE_NAMES, set(labels))
        images = [named] if named is not None else paths if text is None else []
    if text is not None and images:
        raise DataError(
            f"{table.origin} has texts (column '{text}') and images (column '{images[0]}'). Say "
            "which are the examples with text_column (--text-column) or image_column "
            "(--image-column)."
        )
    if len(images) > 1:
        raise DataError(
            f"{table.origin} has several columns of images: {', '.join(images)}. Choose one with "
            "image_column (--image-column)."
        )
    return text, (images[0] if images else None)


def _holds_paths(values: Sequence[Any]) -> bool:
    """Whether the first values are all named like images."""
    first = [value for value in values[:20] if value is not None]
    return bool(first) and all(
        isinstance(value, str | PurePath) and PurePath(value).suffix.lower() in IMAGE_SUFFIXES
        for value in first
    )


def _simple(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _named(header: Sequence[str], wanted: str) -> str | None:
    return next((name for name in header if _simple(name) == wanted), None)


def _usual(
    header: Sequence[str], names: Sequence[str], taken: set[str | None] | set[str]
) -> str | None:
    free = [name for name in header if name not in taken]
    return next((found for name in names if (found := _named(free, name)) is not None), None)


def _lacking(table: Table, example: str | None, labels: Sequence[str]) -> DataError:
    lacking = ["text"] * (example is None) + ["label"] * (not labels)
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:40]}…") for name in table.columns)
    how = " and ".join(f"{role}_column (--{role}-column)" for role in lacking)
    message = (
        f"{table.origin}: no column is named like a {' or a '.join(lacking)}. Its columns: "
        f"{shown}. Name them with {how}."
    )
    if example is None:
        message += " Paths of images are named with image_column (--image-column)."
    if table.written and any(_looks_like_data(name) for name in table.columns):
        header_line = "text,label" if table.origin.lower().endswith(".csv") else "text\tlabel"
        message += (
            " The first line looks like data: if the file has no header, put one in front, such "
            f"as {header_line!r}."
        )
    return DataError(message)


def _looks_like_data(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return len(name) > 40 or name.count(" ") >= 3
    return True
