"""Terms for people that decide: proposed on templates and validation, measured on test.

A class that is named after a group of people, or after one of its terms, is about them: that
terms of this group move texts towards it is right. (20 newsgroups: "atheist" and "protestant" lead
to soc.religion.christian.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np

from clearhead.debug.change import Change, mean_interval
from clearhead.debug.inputs import Inputs
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm, propose_insertion
from clearhead.debug.texts.bias import BiasProbe, TermShift, fill, probe_bias
from clearhead.debug.texts.mention import Mention
from clearhead.debug.texts.terms import GIVEN, TermList, read_terms

__all__ = ["find_bias"]

TRIED = 8
"""Terms that are put into texts: each is corrected for all the others."""

CONFIRMED = 4
LEAST_SHIFT = 0.3
LEAST_FLIPS = 0.02
"""People are wronged by fewer flips than a shortcut is worth naming for."""

ROWS = 120

_WORD = re.compile(r"[^\W_]+")


def find_bias(
    inputs: Inputs,
    *,
    terms: str | Path | Iterable[str] | TermList | None = None,
    on_probe: Callable[[BiasProbe], None] | None = None,
) -> tuple[list[Shortcut], list[Tested]]:
    """Propose terms for people that move predictions, and measure them on test.

    Terms are put into neutral sentences (:func:`~clearhead.debug.texts.bias.probe_bias`);
    those that surely do more than neutral terms are mentioned at the end of validation texts,
    in such a sentence, against the same sentence with a neutral term.

    Parameters
    ----------
    inputs : Inputs
        Of texts with one class each.
    terms : path, iterable of str, TermList or None
        As :func:`~clearhead.debug.texts.terms.read_terms` takes them.
    on_probe : callable, optional
        Given what every term does in neutral sentences, whether it is a finding or not.
    """
    if inputs.labels.ndim != 1 or not inputs.rows("validation").size:
        return [], []
    listed = terms if isinstance(terms, TermList) else read_terms(terms)
    probe = probe_bias(inputs, terms=listed)
    if on_probe is not None:
        on_probe(probe)
    tested, proposals = [], []
    suspected = (
        one
        for one in probe.sure
        if one.shift >= LEAST_SHIFT and not _is_about(inputs.class_names[one.target], one, listed)
    )
    for one in islice(suspected, TRIED):
        proposal, found = _try(inputs, probe, one)
        tested.append(found)
        if found.used:
            proposals.append(proposal)
    proposals = sorted(proposals, key=lambda p: -p.score)[:CONFIRMED]
    shortcuts = [confirm(inputs, proposal, kind="bias") for proposal in proposals]
    return shortcuts, [*(one.tested for one in shortcuts), *tested]


def _is_about(name: str, one: TermShift, listed: TermList) -> bool:
    """Whether a class is named after the term, or after what belongs to the same group."""
    alike = {one.term}
    if one.group != GIVEN:  # terms that came without groups need not be of a kind
        same = zip(listed.terms, listed.groups, strict=True)
        alike |= {one.group, *(term for term, group in same if group == one.group)}
    said = {word for term in alike for word in _WORD.findall(term.casefold())} - {"and"}
    return bool(said & set(_WORD.findall(name.casefold())))


def _try(inputs: Inputs, probe: BiasProbe, one: TermShift) -> tuple[Proposal, Tested]:
    """Mention a term in validation texts of other classes."""
    c = one.target
    pattern = _mention(probe, one.term)
    controls = [_mention(probe, term).insert for term in probe.controls]
    rows = inputs.rows("validation", other_than=c, most=ROWS, salt=31)
    change, control = propose_insertion(inputs, pattern, controls, rows)
    beyond = change.log_odds_shift(c) - control.log_odds_shift(c)
    value, low, high = mean_interval(beyond)
    flips, others = _flips(change, c), _flips(control, c)
    inside, outside = _coverage(inputs, pattern, c)
    proposal = Proposal(
        pattern=pattern,
        controls=controls,
        target=c,
        inside=inside,
        outside=outside,
        score=value,
        change=change,
        evidence=(
            f"In neutral sentences it raises the log-odds of {inputs.class_names[c]} by "
            f"{one.shift:.1f} more than neutral terms do ({one.low:.1f} to {one.high:.1f}, "
            f"p = {one.p_value:.1g} corrected for all terms)."
        ),
    )
    tested = Tested(
        pattern=pattern.describe(),
        target=c,
        inside=inside,
        outside=outside,
        split="validation",
        n=len(change),
        shift=value,
        shift_low=low,
        shift_high=high,
        flips=flips,
        control_flips=others,
        used=low > 0 and flips - others >= LEAST_FLIPS,
    )
    return proposal, tested


def _mention(probe: BiasProbe, term: str) -> Mention:
    sentences = tuple(fill(template, term) for template in probe.templates)
    return Mention(term, sentences, probe.controls)


def _flips(change: Change, c: int) -> float:
    missed = change.scores_before.argmax(axis=1) != c
    return float(change.becomes(c)[missed].mean()) if missed.any() else 0.0


def _coverage(inputs: Inputs, pattern: Mention, c: int) -> tuple[float, float]:
    """Share of the class's training texts, and of the others', that hold the term."""
    shares = []
    for own in ({"label": c}, {"other_than": c}):
        rows = inputs.rows("train", most=2_000, salt=32, **own)
        held = [pattern.presence(inputs.example(row)) for row in rows]
        shares.append(float(np.mean(held)) if held else 0.0)
    return shares[0], shares[1]
