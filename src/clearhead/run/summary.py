"""What a run holds, as plain values: ``clearhead show --json``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from clearhead.glm import Path
from clearhead.layer import Edit
from clearhead.run.run import Run

__all__ = ["summarize"]

SHORT = {"train": "acc_train", "validation": "acc_val", "test": "acc_test"}


def summarize(run: Run) -> dict[str, Any]:
    """Collect what has been computed so far; keys of steps not done yet are left out.

    Returns
    -------
    dict
        ``n``, ``p``, ``classes``; after fit ``targets`` and ``points``; after select
        ``selected``, ``dense``, ``agreement``
        and, where there are some, ``edits``; after debug ``findings``. Documented in
        docs/run-directory.md.
    """
    file = run.file
    summary: dict[str, Any] = {
        "name": run.name,
        "made_by": file.made_by,
        "model": {"name": file.model["name"], "modality": file.model["modality"]},
        "data": {"name": file.data["name"]},
        "steps": {name: record.seconds for name, record in file.steps.items()},
    }
    if "extract" in file.steps:
        store = run.store
        summary["n"] = store.n
        summary["p"] = store.p
        summary["classes"] = list(store.class_names)
        summary["splits"] = {
            split: int(np.count_nonzero(store.split == split)) for split in store.splits
        }
        problems = Counter({row["kind"]: row["count"] for row in file.data["problems"]})
        problems.update({problem.kind: problem.count for problem in store.problems})
        summary["problems"] = dict(problems)
    if "fit" in file.steps:
        path = run.path()
        points = [_point(path, i) for i in range(len(path))]
        summary["family"] = path.family
        summary["targets"] = run.targets
        summary["n_dead"] = int(path.dead.sum())
        summary["points"] = points
        if "select" in file.steps:
            selection = run.selection
            index = selection["index"]
            summary["selected"] = {"index": index, "rule": selection["rule"], **points[index]}
            summary["dense"] = _point(run.path("dense"), selection["dense_index"])
            summary["agreement"] = selection["agreement"]
            if edits := run.edits:
                summary["edits"] = _edits(run, edits)
    if "debug" in file.steps:
        summary["findings"] = [finding.to_dict() for finding in run.findings]
    return summary


def _edits(run: Run, edits: tuple[Edit, ...]) -> dict[str, Any]:
    """What was changed since, and the accuracy of the edited layer."""
    layer, store = run.layer("edited"), run.store
    right = {
        SHORT[split]: float((layer.predict(store.matrix(split)) == store.labels(split)).mean())
        for split in store.splits
    }
    return {
        "edits": [{"words": edit.describe(), **edit.to_dict()} for edit in edits],
        "features_per_class": layer.features_per_class,
        "status": layer.certificate.describe(),
        **{name: round(value, 6) for name, value in right.items()},
    }


def _point(path: Path, i: int) -> dict[str, Any]:
    accuracies = {
        SHORT[split]: round(float(scores[i].value), 6) for split, scores in path.accuracies.items()
    }
    return {
        "lam": float(path.lambdas[i]),
        "features_per_class": float(path.features_per_class[i]),
        "n_nonzero": int(np.sum(path.n_nonzero[i])),
        "gap": float(path.gaps[i]),
        "kkt": float(path.kkt[i]),
        "status": str(path.status[i]),
        **accuracies,
    }
