"""How data are to be opened: which columns, which splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearhead.data.splits import HELD_OUT

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Options of :func:`clearhead.open_dataset`, which says what each is.

    `whole`: see :func:`clearhead.data.open.open_examples`.
    """

    text_column: str | None = None
    image_column: str | None = None
    label_column: str | Sequence[str] | None = None
    label_separator: str | None = None
    label: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    id_column: str | None = None
    class_names: Sequence[str] | None = None
    validation: float = HELD_OUT
    test: float = HELD_OUT
    seed: int = 0
    strict: bool = False
    whole: bool = False

    def named_columns(self) -> dict[str, str]:
        """The columns that were named, by the option that named them."""
        labels = self.label_column
        given = {
            "text_column": self.text_column,
            "image_column": self.image_column,
            "label_column": labels
            if labels is None or isinstance(labels, str)
            else ",".join(labels),
            "split_column": self.split_column,
            "group_column": self.group_column,
            "id_column": self.id_column,
        }
        return {option: column for option, column in given.items() if column is not None}
