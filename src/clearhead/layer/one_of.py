"""A choice between edits: which of them is best is not known before they were solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clearhead.layer.decision import DecisionLayer
from clearhead.layer.edit import Edit

__all__ = ["OneOf"]


@dataclass(frozen=True)
class OneOf(Edit):
    """Several lists of edits of the problem, of which one is to be made.

    :func:`clearhead.layer.with_ways` puts the one in its place that does best on validation, so a
    choice is never applied or logged itself.

    Parameters
    ----------
    options : tuple of tuple of Edit
        The plainest first: what follows must do better.
    """

    action: ClassVar[str] = ""
    options: tuple[tuple[Edit, ...], ...]

    def describe(self) -> str:
        """Say in words what is changed, as the plainest option does it."""
        return "; ".join(edit.describe() for edit in self.options[0])

    def check(self, layer: DecisionLayer) -> None:
        """Raise InputError where an option cannot be done to the layer."""
        for option in self.options:
            for edit in option:
                edit.check(layer)
