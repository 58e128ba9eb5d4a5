"""A word that must be one of a few."""

from __future__ import annotations

from typing import TypeVar

from clearhead.errors import InputError

__all__ = ["check_choice"]

Word = TypeVar("Word", bound=str)


def check_choice(name: str, value: str, choices: tuple[Word, ...]) -> Word:
    """Return `value` as one of `choices`.

    Raises
    ------
    InputError
        It is none of them; `name` is what the argument is called.
    """
    for known in choices:
        if value == known:
            return known
    *others, last = map(repr, choices)
    wanted = f"{', '.join(others)} or {last}"
    raise InputError(f"{name} must be one of {wanted}; got {value!r}.")
