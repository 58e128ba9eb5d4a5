"""Lists of terms for people: one a line, in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from clearhead.errors import InputError

__all__ = ["CONTROL", "GIVEN", "TermList", "read_terms"]

CONTROL = "control"
GIVEN = "given"


@dataclass(frozen=True)
class TermList:
    """Terms, the group of each, the neutral terms to compare with, and what was odd.

    Parameters
    ----------
    terms, groups : tuple of str
        Each term once, in the order given, and its group.
    controls : tuple of str
    warnings : tuple of str
        What was left out, in sentences.
    """

    terms: tuple[str, ...]
    groups: tuple[str, ...]
    controls: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.terms)


def read_terms(terms: str | Path | Iterable[str] | None = None) -> TermList:
    """Read a list of terms.

    Parameters
    ----------
    terms : path, iterable of str or None
        A text file in UTF-8 of one term a line, with ``[group]`` lines, comments behind ``#``
        and an optional group ``[control]``; or the terms themselves; or None for the packaged
        list. Terms are literal: a dot is a dot.

    Raises
    ------
    InputError
        There is no such file, it is not UTF-8 text, or it holds no term.
    """
    if terms is None:
        packaged = resources.files("clearhead.debug.texts").joinpath("identity_terms.txt")
        return _parse(packaged.read_text("utf-8").splitlines(), "the packaged list")
    if isinstance(terms, str | Path):
        path = Path(terms)
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise InputError(
                f"terms: {path} cannot be read as UTF-8 text ({error}). Pass a text file of one "
                "term a line, or the terms themselves as a list."
            ) from error
        return _with_controls(_parse(lines, str(path)))
    return _with_controls(_parse([_no_group(term) for term in terms], "terms"))


def _no_group(term: object) -> str:
    if not isinstance(term, str):
        raise InputError(f"terms: a term is a str, got {term!r}. Pass a list of strings.")
    return f" {term}"  # a leading space: no comment, no group


def _parse(lines: list[str], origin: str) -> TermList:
    group = GIVEN
    found: dict[str, tuple[str, str]] = {}
    controls: list[str] = []
    warnings: list[str] = []
    for number, line in enumerate(lines, start=1):
        term = " ".join(line.split())
        if not term or line.startswith("#"):
            continue
        if line.startswith("[") and term.endswith("]"):
            group = term[1:-1].strip() or GIVEN
        elif group == CONTROL:
            controls += [] if term in controls else [term]
        elif term.casefold() in found:
            warnings.append(f"{origin}, line {number}: “{term}” is there already; it counts once.")
        else:
            found[term.casefold()] = (term, group)
    if not found:
        raise InputError(
            f"{origin} holds no term. Write one term a line, outside the group [{CONTROL}]."
        )
    terms, groups = zip(*found.values(), strict=True)
    return TermList(terms, groups, tuple(controls), tuple(warnings))


def _with_controls(given: TermList) -> TermList:
    """Take the packaged controls where the list has too few of its own to compare with."""
    if len(given.controls) >= 3:
        return given
    own = {term.casefold() for term in given.terms}
    packaged = tuple(term for term in read_terms().controls if term not in own)
    return TermList(given.terms, given.groups, packaged, given.warnings)
