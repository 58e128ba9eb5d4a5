"""The mend of a finding, as edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clearhead._types import BoolArray, FloatArray, IntArray
from clearhead.data.nearest import did_you_mean
from clearhead.debug import Finding
from clearhead.debug.change import log_odds
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern, load_pattern
from clearhead.errors import InputError, StepMissingError
from clearhead.layer import Ban, Edit, HeldOut, Unlink
from clearhead.run.slice_mend import mend_class, mend_labels, mend_slice

if TYPE_CHECKING:
    from clearhead.run.run import Run

__all__ = ["edits_of_finding"]

SHIFTS = 300
"""Examples of other classes into which a pattern is put to see what it does to the features."""
HELD = 200
"""The same, of each held-out split."""
LIKE_CARRIERS = 0.25
"""Examples with and without a pattern differ by about what putting it in does to the score."""
MOSTLY = 0.5
"""Where taking a pattern out changes fewer of the examples without it, it leaves no traces."""
COVERED = 0.9
"""Taken out of so many of the examples that show it, a pattern is gone from training."""


def edits_of_finding(run: Run, finding: int | str | Finding) -> list[Edit]:
    """Make the edits that mend a finding.

    Raises
    ------
    InputError
        There is no such finding, or an edit of the layer cannot mend it.
    """
    found = finding if isinstance(finding, Finding) else _lookup(run, finding)
    if found.kind in ("shortcut", "bias"):
        return [unlink(run, found)]
    if found.kind in ("leaning", "hub", "blame") and found.features:
        return [Ban(found.features)]
    names = tuple(run.layer().class_names[c] for c in found.classes)
    if found.kind in ("confusion", "given_up"):
        return mend_class(run, names[:1])
    if found.kind == "label_noise" and run.targets == "predictions":
        raise InputError(
            f"finding {found.key}: the layer was fitted to what the network predicts, and the "
            "labels have no part in it. Accuracy is measured by them: mend them in the data, or "
            f"fit the layer to them, `clearhead fit {run.folder} --targets labels`."
        )
    if found.kind in ("slice", "label_noise"):
        edits = mend_slice(run, found, names) if len(names) < 2 else mend_labels(run, found)
        if edits:
            return edits
    raise InputError(f"finding {found.key}: no edit of the layer mends it by itself. {found.mend}")


def unlink(run: Run, finding: Finding) -> Unlink:
    """Measure what the pattern of a finding does to the features of training examples."""
    folder = run.folder / "debug" / "patterns"
    if not (folder / f"{finding.key}.json").is_file():
        raise StepMissingError(
            f"{folder} does not hold the pattern of finding {finding.key}: run `clearhead debug "
            f"{run.folder} --force`."
        )
    pattern, _ = load_pattern(folder, finding.key)
    inputs = Inputs(
        run.backbone,
        run.dataset,
        run.store,
        run.layer(),
        run.layer("dense"),
        on_event=run.on_event,
    )
    return measure_unlink(inputs, pattern, finding.classes[0])


def measure_unlink(inputs: Inputs, pattern: Pattern, target: int) -> Unlink:
    """Make the edit that unlinks `pattern` from class `target`."""
    shown = _Shown(inputs, pattern)
    of_class = inputs.rows("train", label=target)
    shows = shown.by(of_class)
    others = inputs.rows("train", other_than=target, most=SHIFTS, salt=3)
    at, shifts = _shifts(inputs, shown, others)
    everywhere = _everywhere(inputs, shown, target, at, shifts)
    shows |= everywhere
    replaced, replacements = _taken_out(inputs, shown, of_class[shows])
    controls, controlled = _controls(inputs, shown, others if len(replaced) else others[:0])
    held_out = {
        split: _measure_held_out(
            inputs, shown, target, split, take_out=bool(len(replaced)), everywhere=everywhere
        )
        for split in ("validation", "test")
    }
    return Unlink(
        pattern=pattern.describe(),
        target=inputs.class_names[target],
        carriers=_within(inputs, "train", of_class[shows]),
        probes=_within(inputs, "train", at),
        shifts=shifts,
        replaced=_within(inputs, "train", replaced),
        replacements=replacements,
        controls=_within(inputs, "train", controls),
        controlled=controlled,
        held_out=held_out,
    )


class _Shown:
    """Which rows show a pattern; each is looked at once, as a detector takes its time."""

    def __init__(self, inputs: Inputs, pattern: Pattern) -> None:
        self.inputs, self.pattern = inputs, pattern
        self._known: dict[int, bool] = {}

    def by(self, rows: IntArray) -> BoolArray:
        """Whether each of these rows (m,) of the store shows it."""
        for row in map(int, rows):
            if row not in self._known:
                self._known[row] = self.pattern.has(self.inputs.example(row))
        return np.array([self._known[int(row)] for row in rows], dtype=bool)


def _everywhere(
    inputs: Inputs, shown: _Shown, target: int, probes: IntArray, shifts: FloatArray
) -> bool:
    """Whether examples of the class that seem to lack the pattern score as if they had it.

    Then it is not told well where it is, and the whole class is taken to show it.
    """
    if not len(probes):
        return False
    rows = inputs.rows("validation", label=target)
    shows = shown.by(rows)
    if not shows.any() or shows.all():
        return True

    def score(features: FloatArray) -> FloatArray:
        return log_odds(inputs.layer.logits(features), target)

    before, own = inputs.features_of(probes), score(inputs.stored(rows))
    moved = float((score(before + shifts) - score(before)).mean())
    return float(own[shows].mean() - own[~shows].mean()) < LIKE_CARRIERS * moved


def _measure_held_out(
    inputs: Inputs,
    shown: _Shown,
    target: int,
    split: str,
    *,
    take_out: bool,
    everywhere: bool,
) -> HeldOut:
    """Measure the same on a held-out split; the pattern is taken out where training is."""
    rows = inputs.rows(split, label=None if take_out else target)
    shows = shown.by(rows)
    replaced: IntArray = np.zeros(0, dtype=np.int64)
    features = inputs.features([])
    if take_out:
        own = inputs.labels[rows] == target
        replaced, examples = inputs.changed(rows[shows | (own & everywhere)], shown.pattern.remove)
        features = inputs.features(examples)
    carriers = rows[shows | everywhere]
    others = inputs.rows(split, other_than=target, most=HELD, salt=5)
    at, shifts = _shifts(inputs, shown, others)
    controls, controlled = _controls(inputs, shown, others if take_out else others[:0])
    return HeldOut(
        carriers=_within(inputs, split, carriers[inputs.labels[carriers] == target]),
        probes=_within(inputs, split, at),
        shifts=shifts,
        replaced=_within(inputs, split, replaced),
        replacements=features,
        controls=_within(inputs, split, controls),
        controlled=controlled,
    )


def _controls(inputs: Inputs, shown: _Shown, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Do to examples without a pattern what is done where it is taken out, if that can be done."""
    rows = rows[~shown.by(rows)]
    at, examples = inputs.changed(rows, shown.pattern.remove)
    if len(at) < max(MOSTLY * len(rows), 1):  # what leaves no traces changes nothing in them
        at, examples = at[:0], []
    return at, inputs.features(examples)


def _shifts(inputs: Inputs, shown: _Shown, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Put a pattern into examples; the rows where it could be, and the change of features."""
    at, examples = inputs.changed(rows[~shown.by(rows)], shown.pattern.insert)
    return at, (inputs.features(examples) - inputs.features_of(at)).astype(np.float32)


def _taken_out(inputs: Inputs, shown: _Shown, carriers: IntArray) -> tuple[IntArray, FloatArray]:
    """Training rows without the pattern, where nearly all that show it can do without."""
    sample, pattern = carriers[:SHIFTS], shown.pattern
    if len(inputs.changed(sample, pattern.remove)[0]) < max(COVERED * len(sample), 1):
        return np.zeros(0, dtype=np.int64), np.zeros((0, inputs.layer.weight.shape[1]), np.float32)
    rows = inputs.rows("train")
    rows = np.union1d(rows[shown.by(rows)], carriers)
    at, examples = inputs.changed(rows, pattern.remove)
    return at, inputs.features(examples)


def _within(inputs: Inputs, split: str, rows: IntArray) -> IntArray:
    """Places in a split of rows of the store."""
    found: IntArray = np.searchsorted(np.flatnonzero(inputs.split == split), rows)
    return found


def _lookup(run: Run, finding: int | str) -> Finding:
    findings = run.findings
    for number, found in enumerate(findings, start=1):
        if str(finding) in (str(number), found.key):
            return found
    numbers = f"1 to {len(findings)}" if findings else "none"
    raise InputError(
        f"finding: there is no finding {finding!r}; findings are {numbers}, or their keys."
        f"{did_you_mean(str(finding), [one.key for one in findings])}"
    )
