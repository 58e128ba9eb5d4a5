"""What ``clearhead debug`` needs of a run, and what it leaves there."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clearhead._files import write_json
from clearhead.debug import Diagnosis, Inputs, TrainView, find, save_pattern, traits_of
from clearhead.debug.texts import TermList
from clearhead.errors import ClearheadError, InputError
from clearhead.events import Event, emit
from clearhead.explain import LimeExplanations
from clearhead.run.explaining import EffortName
from clearhead.run.fitting import targets_of, weighting
from clearhead.run.results import BIAS, LABELS, LEAKS, PATTERNS, TESTED

if TYPE_CHECKING:
    from clearhead.run.steps import RunSteps

__all__ = ["diagnose", "inputs_of", "train_of", "write_diagnosis"]

MOST_NUMBERS = 5e8
"""Training features that are compared and solved again without being asked: minutes at most."""


def diagnose(
    run: RunSteps, effort: EffortName, terms: TermList | None, seed: int
) -> tuple[Diagnosis, list[str]]:
    """Run every check that `effort` allows; what was found, and what could not be looked at."""
    notes: list[str] = []
    train, missing = train_of(run, **({"most": math.inf} if effort == "full" else {}))
    if missing:
        notes.append(missing)
    inputs = None
    if effort != "quick":
        inputs, reason = inputs_of(run, seed)
        if inputs is None:
            notes.append(f"nothing was put into inputs, so no shortcut could be found: {reason}")
    if not run.layer().used.size:
        notes.append(
            "the layer uses no feature, so it says the same of every example: select another "
            f"point of the path, `clearhead select {run.folder} --rule best`"
        )
    if terms is not None and (inputs is None or inputs.modality != "text"):
        why = "nothing was put into inputs" if inputs is None else "the data are no texts"
        notes.append(f"the terms were not tried: {why}")
    for note in notes:
        emit(run.on_event, Event("debug", "warning", note))
    traits = None if inputs is None else traits_of(inputs)
    found = find(
        run.view("validation", traits),
        run.view("test", traits),
        train=train,
        dense=run.layer("dense"),
        inputs=inputs,
        effort="full" if effort == "full" else "default",
        terms=terms,
        on_event=run.on_event,
    )
    return found, notes


def inputs_of(run: RunSteps, seed: int = 0, *, layer: str = "sparse") -> tuple[Inputs | None, str]:
    """Open the examples and the network of a run; without them None, and the reason."""
    if not run.file.data["keep_examples"]:
        return None, "the run keeps no examples, and patterns are words and pieces of them"
    try:
        inputs = Inputs(
            run.backbone,
            run.dataset,
            run.store,
            run.layer(layer),
            run.layer("dense"),
            seed=seed,
            lime=_explained(run),
            on_event=run.on_event,
        )
    except (ClearheadError, OSError) as error:
        return None, str(error)
    return inputs, ""


def _explained(run: RunSteps) -> LimeExplanations | None:
    """What ``clearhead explain`` has left of the words and regions that drive features."""
    try:
        return run.explained.lime
    except ClearheadError:  # not explained, or of another layer: what is needed is explained anew
        return None


def train_of(run: RunSteps, *, most: float = MOST_NUMBERS) -> tuple[TrainView | None, str]:
    """What the selected layer was fitted to; where it cannot be solved again None, and why."""
    fitted, store = run.file.steps["fit"].options, run.store
    if np.count_nonzero(store.split == "train") * store.p > most:
        return None, (
            "labels were not doubted and repeated examples not looked for: the training features "
            f"are more than {most:.0e} numbers, for which --full takes the time"
        )
    y = targets_of(store, run.targets)
    view = TrainView(
        run.layer(),
        store.matrix("train"),
        store.labels("train"),
        store.ids[store.split == "train"],
        targets=y.get("y"),
        **weighting(store, fitted.get("ban", ()), balanced=fitted.get("balanced", False)),
        grouped=fitted.get("grouped", False),
    )
    try:
        _ = view.problem
    except InputError as error:  # the unpenalised end of a path, say
        return None, f"labels were not doubted, as the layer cannot be solved again: {error}"
    return view, ""


def write_diagnosis(folder: Path, diagnosis: Diagnosis, notes: list[str]) -> None:
    """Write findings, what was tested, and the patterns behind the findings."""
    write_json(folder / "findings.json", [one.to_dict() for one in diagnosis.findings])
    tested = [one.to_dict() for one in diagnosis.tested]
    value = {"tested": tested, "checks": list(diagnosis.checks), "notes": notes}
    write_json(folder / TESTED, value)
    parts = ((LABELS, diagnosis.labels), (LEAKS, diagnosis.leaks), (BIAS, diagnosis.bias))
    for name, found in parts:
        (folder / name).unlink(missing_ok=True)
        if found is not None:
            write_json(folder / name, found.to_dict())
    patterns = folder / PATTERNS
    shutil.rmtree(patterns, ignore_errors=True)
    for key, shortcut in diagnosis.shortcuts.items():
        save_pattern(patterns, key, shortcut.pattern, shortcut.shift)
