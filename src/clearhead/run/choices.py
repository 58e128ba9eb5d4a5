"""Options that must be one of a few words, or a seed."""

from __future__ import annotations

from typing import TypeVar

from clearhead.errors import InputError

__all__ = ["check_choice", "check_seed"]

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


def check_seed(seed: int) -> int:
    """Return `seed`, which random generators take.

    Raises
    ------
    InputError
        It is negative.
    """
    if seed < 0:
        raise InputError(f"seed: expected a whole number from 0, got {seed}.")
    return seed
