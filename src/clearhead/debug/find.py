"""Every check, and one ranked list of what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clearhead.debug.errors import find_blame
from clearhead.debug.finding import Finding, rank
from clearhead.debug.given_up import find_given_up
from clearhead.debug.hubs import find_hubs
from clearhead.debug.leaning import find_leaning
from clearhead.debug.view import SplitView
from clearhead.debug.weak_slices import find_slices
from clearhead.events import Event, EventCallback, emit

__all__ = ["CHECKS", "find"]

Check = Callable[[SplitView, SplitView], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    "a class that leans on one feature": find_leaning,
    "a feature that decides many classes": find_hubs,
    "errors that vanish without one feature": find_blame,
    "a slice of the metadata that does worse": find_slices,
    "a class that the sparse layer gave up": find_given_up,
}


def find(
    validation: SplitView, test: SplitView, *, on_event: EventCallback | None = None
) -> list[Finding]:
    """Look for what may be wrong: propose on validation, measure on test.

    Parameters
    ----------
    validation, test : SplitView
        Of the same layer.
    on_event : callable, optional

    Returns
    -------
    list of Finding
        Confirmed ones first, the largest effect that we are sure of first. The p
        values are corrected (Holm) for the number of findings proposed.
    """
    emit(on_event, Event("debug", "start", total=len(CHECKS), unit="checks"))
    proposed: list[Finding] = []
    for done, (name, check) in enumerate(CHECKS.items(), start=1):
        proposed += check(validation, test)
        emit(on_event, Event("debug", "progress", name, done, len(CHECKS), "checks"))
    findings = rank(proposed)
    confirmed = sum(finding.confirmed for finding in findings)
    emit(
        on_event,
        Event("debug", "end", f"{confirmed} findings confirmed, {len(findings)} proposed"),
    )
    return findings
