"""Every check, and one ranked list of what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Literal

import numpy as np

from clearhead._types import FloatArray
from clearhead.debug.finding import Finding, rank
from clearhead.debug.images import find_image_shortcuts
from clearhead.debug.inputs import Inputs
from clearhead.debug.labels import LabelNoise, find_label_noise
from clearhead.debug.layer import find_confused, find_given_up, find_hubs, find_leaning
from clearhead.debug.leaks import Leaks, find_leaks
from clearhead.debug.merge import merge
from clearhead.debug.mistakes import find_blame
from clearhead.debug.shortcut import Shortcut, Tested
from clearhead.debug.slices import find_slices
from clearhead.debug.texts import BiasProbe, TermList, find_bias, find_text_shortcuts
from clearhead.debug.texts.search import CHARACTERS
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.layer import DecisionLayer

__all__ = ["CHECKS", "Diagnosis", "Effort", "find"]

Check = Callable[[SplitView, SplitView], Iterator[Finding]]
InputFindings = tuple[list[Shortcut], list[Tested]]
InputCheck = Callable[[Inputs], InputFindings]
Effort = Literal["default", "full"]
Terms = str | FilePath | Iterable[str] | TermList | None

CHECKS: dict[str, Check] = {
    "a class that leans on one feature": find_leaning,
    "a feature that decides many classes": find_hubs,
    "errors that vanish without one feature": find_blame,
    "a slice, of metadata, features or what is seen at sight, that does worse": find_slices,
    "a class that is mostly taken for another": find_confused,
    "a class that the sparse layer gave up": find_given_up,
}

TRAIN_CHECKS = ("classes whose labels are mixed up", "test examples that repeat training examples")

MORE = 5
"""Times as much as by default that texts are looked at with full effort."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found, and what was tested to find it.

    Parameters
    ----------
    findings : sequence of Finding
        Ranked: confirmed first, the largest effect that we are sure of first.
    tested : sequence of Tested
        Every pattern that was put into inputs, also those that proved not to be used.
    shortcuts : mapping
        From :attr:`Finding.key` to the pattern behind the finding, and what it does.
    labels : LabelNoise or None
        Examples whose labels are doubted; None where the training rows were not given.
    leaks : Leaks or None
        Held-out examples that nearly repeat a training example; None likewise.
    checks : sequence of str
        What was looked for, in words.
    bias : BiasProbe or None
        What every term for people does in neutral sentences; None where none were tried.
    """

    findings: Sequence[Finding]
    tested: Sequence[Tested]
    shortcuts: Mapping[str, Shortcut]
    labels: LabelNoise | None
    leaks: Leaks | None
    checks: Sequence[str]
    bias: BiasProbe | None = None


def find(
    validation: SplitView,
    test: SplitView,
    *,
    train: TrainView | None = None,
    dense: DecisionLayer | None = None,
    inputs: Inputs | None = None,
    effort: Effort = "default",
    terms: Terms = None,
    on_event: EventCallback | None = None,
) -> Diagnosis:
    """Look for what may be wrong: propose on validation, measure on test.

    Parameters
    ----------
    validation, test : SplitView
        Of the same layer.
    train : TrainView, optional
        What the layer was fitted to; without it labels are not doubted, and repeated
        examples not seen.
    dense : DecisionLayer, optional
        The dense end of the path: labels of a class that the sparse layer gave up are doubted by
        its scores.
    inputs : Inputs, optional
        Examples and network; without them nothing can be put into inputs, and only what
        shows in the features is found.
    effort : {"default", "full"}
        How many patterns are put into how many inputs.
    terms : path, iterable of str, TermList or None
        Words for people that a text's class should not depend on; the packaged list of
        identity and protected-group terms where None.
    on_event : callable, optional

    Returns
    -------
    Diagnosis
        The p values are corrected (Holm) for the number of findings proposed.

    Raises
    ------
    InputError
        The layer gives several labels at once: every check is about one decision.
    """
    if validation.layer.multilabel:
        several = validation.layer.class_names
        raise InputError(
            f"find: the layer gives labels that may hold at once ({', '.join(several[:6])}), and "
            "the checks look into one decision. Pick a label: label=NAME (--label) when the data "
            "are opened."
        )
    probes: list[BiasProbe] = []
    further = {} if inputs is None else _input_checks(inputs.modality, effort, terms, probes)
    names = [*CHECKS, *(() if train is None else TRAIN_CHECKS), *further]
    done = _Done(len(names), on_event)
    proposed: list[Finding] = []
    for name, check in CHECKS.items():
        proposed += check(validation, test)
        done.say(name)
    labels, leaks = None, None
    if train is not None:
        labels = _doubt_labels(train, validation, test, dense, proposed)
        done.say(TRAIN_CHECKS[0])
        leaks = find_leaks(train, validation, test, inputs=inputs)
        done.say(TRAIN_CHECKS[1])
        proposed += [*labels.findings, *leaks.findings]
    tested: list[Tested] = []
    shortcuts: dict[str, Shortcut] = {}
    for name, look in further.items():
        assert inputs is not None
        found, looked_at = look(inputs)
        shortcuts |= {one.finding.key: one for one in reversed(found)}
        tested += looked_at
        done.say(name)
    proposed += [one.finding for one in shortcuts.values()]
    shifts = {key: _standardized(test, one) for key, one in shortcuts.items()}
    findings = _numbered(merge(rank(proposed), shifts))
    confirmed = sum(finding.confirmed for finding in findings)
    emit(
        on_event,
        Event("debug", "end", f"{confirmed} findings confirmed, {len(findings)} proposed"),
    )
    bias = probes[0] if probes else None
    return Diagnosis(findings, tested, shortcuts, labels, leaks, names, bias)


def _doubt_labels(
    train: TrainView,
    validation: SplitView,
    test: SplitView,
    dense: DecisionLayer | None,
    proposed: Sequence[Finding],
) -> LabelNoise:
    """Find wrong labels; where a class was given up and none are seen, by the dense layer.

    A class of which nearly half carries another's label is what a sparse layer gives up first, and
    then nothing looks like it any more.
    """
    found = find_label_noise(train, validation, test)
    if found.findings or dense is None or all(one.kind != "given_up" for one in proposed):
        return found
    try:
        again = find_label_noise(
            replace(train, layer=dense), validation.under(dense), test.under(dense)
        )
    except InputError:  # the dense end of the path cannot be solved again
        return found
    if not again.findings:
        return found
    why = "By the dense layer's scores, as the sparse one gave a class up. "
    return replace(
        again,
        findings=tuple(replace(one, evidence=why + one.evidence) for one in again.findings),
    )


def _input_checks(
    modality: str, effort: Effort, terms: Terms, probes: list[BiasProbe]
) -> dict[str, InputCheck]:
    """What changes inputs and runs the network on them; probes of terms are added to `probes`."""
    if modality == "image":
        return {
            "a look, or a part, of pictures that decides for a class": lambda inputs: (
                find_image_shortcuts(inputs, effort=effort)
            )
        }
    characters = CHARACTERS * (MORE if effort == "full" else 1)
    return {
        "words, signs or ways of writing that decide for a class": lambda inputs: (
            find_text_shortcuts(inputs, characters=characters)
        ),
        "terms for people that move predictions": lambda inputs: find_bias(
            inputs, terms=terms, on_probe=probes.append
        ),
    }


class _Done:
    """How many checks are done."""

    def __init__(self, total: int, on_event: EventCallback | None) -> None:
        self.total, self.on_event, self.n = total, on_event, 0
        emit(on_event, Event("debug", "start", total=total, unit="checks"))

    def say(self, name: str) -> None:
        self.n += 1
        emit(self.on_event, Event("debug", "progress", name, self.n, self.total, "checks"))


def _standardized(view: SplitView, shortcut: Shortcut) -> FloatArray:
    """How far the pattern moves each feature in use, in standard deviations, (u,)."""
    layer = view.layer
    used = layer.used
    moved: FloatArray = shortcut.shift[used] / np.where(layer.dead[used], 1.0, layer.scale[used])
    return moved


def _numbered(findings: Sequence[Finding]) -> list[Finding]:
    """Say in each mend which finding of the list it is."""
    return [
        replace(finding, mend=finding.mend.replace("NUMBER", str(number)))
        for number, finding in enumerate(findings, start=1)
    ]
