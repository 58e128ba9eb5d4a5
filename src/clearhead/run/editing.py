"""Edit a run's layer: from what was asked for to a changed layer, measured and logged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead.data.nearest import did_you_mean
from clearhead.debug import bin_metadata
from clearhead.errors import InputError
from clearhead.events import Event, emit
from clearhead.layer import (
    Again,
    Ban,
    Calibrate,
    Counterexamples,
    DecisionLayer,
    Edit,
    Lam,
    Refit,
    Reweight,
    Scale,
    Sparsest,
    TrainingRows,
    Zero,
    apply_edits,
    edit_from_dict,
    parse_rule,
    with_ways,
)
from clearhead.run.counterexamples import read_counterexamples
from clearhead.run.edit_effect import notes_of, pattern_rows, worries
from clearhead.run.edit_log import EditLog, read_edit_file
from clearhead.run.edit_result import SPLITS, EditResult, measure_edit
from clearhead.run.fitting import targets_of, weighting
from clearhead.run.mending import edits_of_finding

if TYPE_CHECKING:
    from clearhead.run.run import Run

__all__ = ["edit_run", "requested", "training_rows"]


def edit_run(run: Run, edits: Sequence[Edit], *, dry_run: bool = False) -> EditResult:
    """Apply edits after those of the log; measure, and write the step unless `dry_run`."""
    if not edits:
        raise InputError("edit: say what to change: zero, scale, ban, reweight, finding, ….")
    selected = run.layer()
    log = EditLog.read(run.edits_folder, selected.fingerprint)
    if log.void:
        message = (
            "another layer has been selected since the last edits: they are kept, and do not count"
        )
        emit(run.on_event, Event("edit", "warning", message))
    emit(run.on_event, Event("edit", "start", "; ".join(edit.describe() for edit in edits)))
    store = run.store
    before = log.layer() or selected
    fitted, train = run.file.steps["fit"].options, training_rows(run)
    again = _again(run, selected)
    solver: Any = {
        "grouped": fitted.get("grouped", False),
        "tol": fitted["tol"],
        "on_event": run.on_event,
    }
    edits = with_ways(selected, log.edits(), edits, train, again, current=before, **solver)
    logged = [*log.edits(), *edits]
    edited = apply_edits(
        selected,
        logged,
        train,
        (store.matrix("validation"), store.labels("validation")),
        again=again,
        **solver,
    )
    after = edited.layer
    views = {split: (run.view(split), store.matrix(split)) for split in SPLITS}
    result = measure_edit(before, after, tuple(edits), views)
    held_out = {split: rows_of(run, split) for split in SPLITS} if again is not None else {}
    result = replace(
        result,
        rows=(*result.rows, *pattern_rows(before, after, edits, held_out)),
        warnings=(*result.warnings, *worries(before, edited, edits, logged, again)),
        notes=notes_of(selected, edited, edits),
    )
    for text in result.warnings:
        emit(run.on_event, Event("edit", "warning", text))
    if not dry_run:
        _, result = log.append(result)
    emit(run.on_event, Event("edit", "end", repr(after)))
    return result


def _again(run: Run, selected: DecisionLayer) -> Again | None:
    """What choosing lam again takes: the rule that chose the layer, or the default one."""
    if selected.multilabel:
        return None
    text = run.selection["text"]
    lambdas = run.path().lambdas
    return Again(
        parse_rule(text) if text else Sparsest(),
        rows_of(run, "validation"),
        float(lambdas[lambdas > 0].min()),
    )


def rows_of(run: Run, split: str) -> TrainingRows:
    """Rows of a split, each counting alike."""
    store = run.store
    here = store.split == split
    labels = store.labels(split)
    return TrainingRows(
        features=store.matrix(split),
        labels=labels,
        weight=np.ones(len(labels)),
        ids=store.ids[here],
        metadata=bin_metadata(store.metadata, store.split == "train")[here].reset_index(drop=True),
        allowed=np.ones((len(store.class_names), store.p), dtype=bool),
    )


def training_rows(run: Run) -> TrainingRows:
    """What the run's layer was fitted to."""
    store, fitted = run.store, run.file.steps["fit"].options
    ban = fitted.get("ban", ())
    weights = weighting(store, ban, balanced=fitted.get("balanced", False))
    rows = rows_of(run, "train")
    rows.allowed[:, list(ban)] = False
    return replace(
        rows,
        weight=np.asarray(weights.get("sample_weight", rows.weight), dtype=np.float64),
        soft=targets_of(store, run.targets).get("y"),
    )


def requested(
    run: Run,
    *,
    zero: Iterable[int | str] = (),
    scale: Mapping[int | str, float] | None = None,
    ban: Iterable[int | str] = (),
    classes: Iterable[str] = (),
    reweight: str | Reweight | None = None,
    counterexamples: Any = None,
    weight: float = 1.0,
    text_column: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    finding: int | str | None = None,
    file: Path | str | None = None,
    refit: bool = False,
    calibrate: bool = False,
    lam: str | None = None,
) -> list[Edit]:
    """Make edits of what was asked for, in this order of arguments but `file` first.

    Parameters
    ----------
    zero, ban : features, by number or by name
    scale : mapping of feature to factor
    classes : names
        For which `zero`, `scale` and `ban` hold, and which `reweight` is about; all by default.
    reweight : str
        A metadata column whose values are to count alike in every class, ``COLUMN=VALUE`` for
        one of its values to count as much as the rest, or ``"classes"``.
    counterexamples : path, Dataset or (features, labels)
        Labelled examples to add.
    weight : float
        How much each of them counts.
    text_column, image_column, label_column : str, optional
        Their columns, where a file does not name them as usual.
    finding : int or str
        Number in the list of findings, from 1, or key: its mend.
    file : path
        Edits as JSON.
    refit, calibrate : bool
    lam : {"same", "again"}, optional
        Whether lam is kept where the layer is solved again; see :class:`clearhead.layer.Lam`.
    """
    layer, whom, edits = run.layer(), tuple(classes), list[Edit]()
    if file is not None:
        edits += _from_file(run, Path(file))
    if zero := tuple(zero):
        edits.append(Zero(_features(run, zero, layer), whom))
    for feature, factor in (scale or {}).items():
        edits.append(Scale(_features(run, (feature,), layer), float(factor), whom))
    if ban := tuple(ban):
        edits.append(Ban(_features(run, ban, layer), whom))
    if isinstance(reweight, Reweight):
        edits.append(reweight)
    elif reweight is not None:
        column, equals, value = reweight.partition("=")
        chosen = None if reweight == "classes" else column
        edits.append(Reweight(chosen, value if equals else None, whom))
    columns = {
        "text_column": text_column,
        "image_column": image_column,
        "label_column": label_column,
    }
    edits += _counterexamples(run, counterexamples, weight, columns)
    if finding is not None:
        edits += edits_of_finding(run, finding)
    if refit:
        edits.append(Refit())
    if calibrate:
        edits.append(Calibrate())
    if lam is not None:
        edits.append(Lam(lam))
    return edits


def _counterexamples(
    run: Run, given: Any, weight: float, columns: Mapping[str, str | None]
) -> list[Edit]:
    """The edit that adds examples; none where none are given."""
    if given is not None:
        return [read_counterexamples(run, given, weight, **columns)]
    if named := [option for option, column in columns.items() if column is not None]:
        raise InputError(
            f"{', '.join(named)}: of counterexamples, and none were given. Leave it out, or name "
            "a file with counterexamples (--counterexamples)."
        )
    return []


def _from_file(run: Run, path: Path) -> list[Edit]:
    """Edits of a file; examples and findings that they name are looked up in this run."""
    found: list[Edit] = []
    for item in read_edit_file(path, run.layer().fingerprint):
        action = item.get("action") if isinstance(item, Mapping) else None
        if action == "finding":
            found += edits_of_finding(run, item.get("finding", ""))
        elif action == Counterexamples.action and "data" in item:
            found.append(read_counterexamples(run, item["data"], item.get("weight", 1.0)))
        else:
            found.append(edit_from_dict(item))
    return found


def _features(run: Run, features: Iterable[int | str], layer: DecisionLayer) -> tuple[int, ...]:
    """Features by number, or by the name that a person gave."""
    names = {name: feature for feature, name in run.given_names.items()}
    found = []
    for one in features:
        text = str(one)
        if text in names:
            found.append(names[text])
        elif text.lstrip("-").isdigit():
            found.append(int(text))
        else:
            near = did_you_mean(text, names)
            raise InputError(
                f"feature: there is no feature named {text!r}; give its number, 0 to "
                f"{layer.weight.shape[1] - 1}, or a name given with `clearhead name`.{near}"
            )
    return tuple(found)
