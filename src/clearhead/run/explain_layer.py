"""The step that explains a run's layer: examples first, then what the network tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clearhead._files import write_json
from clearhead.errors import ClearheadError
from clearhead.events import Event, emit
from clearhead.explain import ExampleIndex, FeatureExamples, index_examples
from clearhead.report import inner_bands
from clearhead.run.explaining import EFFORTS, EffortName, Explainer

if TYPE_CHECKING:
    from clearhead.run.steps import RunSteps

__all__ = ["explain_layer"]

STRONGEST = 10
"""Features a class of the dense layer that are shown too, to look at beside ours."""


def explain_layer(run: RunSteps, k: int, effort: EffortName, seed: int) -> list[FeatureExamples]:
    """Find what each feature responds to, and write it; see :meth:`clearhead.Run.explain`."""
    layer, dense = run.layer(), run.layer("dense")
    shown = set(layer.used.tolist())
    for c in range(dense.n_classes):
        shown.update(dense.top(c, STRONGEST).tolist())
    index = index_examples(run.store, layer, k=max(k, 16), seed=seed, on_event=run.on_event)
    run.file.begin("explain")
    folder = run.folder / "explain"
    index.save(folder / "index")
    found = [index.examples(feature, k) for feature in sorted(shown)]
    used = [f for f in found if f.feature in layer.used]
    between = [pair for f in used for band in inner_bands(f) for pair in band.examples]
    ends = [pair for f in found for pair in (*f.highest, *f.lowest)]
    run.keep_examples([key for key, _ in (*ends, *between)])
    write_json(folder / "examples.json", [f.to_dict() for f in found])
    if effort != "quick":
        _explain_further(run, index, effort, seed)
    return found


def _explain_further(run: RunSteps, index: ExampleIndex, effort: EffortName, seed: int) -> None:
    """Explain with the network what more than examples tells."""
    explainer = Explainer(
        run.folder / "explain",
        run.store,
        run.layer(),
        index,
        effort=EFFORTS[effort],
        seed=seed,
        keep_examples=run.file.data["keep_examples"],
        on_event=run.on_event,
    )
    backbone, dataset = None, None
    try:
        backbone, dataset = run.backbone, run.dataset
    except (ClearheadError, OSError) as error:
        explainer.note(f"Only examples and names were made, without the network: {error}")
        emit(run.on_event, Event("explain", "warning", explainer.notes[-1]))
    explainer.run(backbone, dataset)
