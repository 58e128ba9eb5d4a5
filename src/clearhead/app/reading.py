"""What can be looked at beside the run's data: more examples, by key."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from clearhead.app.answers import RefusedError
from clearhead.errors import ClearheadError, DataError
from clearhead.run import Run

__all__ = ["example_cards"]


def example_cards(run: Run, keys: list[str]) -> list[dict[str, Any]]:
    """Show examples of the run, kept or not, with the activations that decide about them.

    Returns
    -------
    list of dict
        The fields of an example card (docs/report.md) and ``features``: pairs of a feature in
        use and its standardised activation.

    Raises
    ------
    RefusedError
        There is no such example.
    """
    store, layer = run.store, run.layer()
    row_of = {str(key): row for row, key in enumerate(store.ids)}
    for key in keys:
        if key not in row_of:
            raise RefusedError(404, "example", f"The run has no example {key[:200]!r}.")
    rows = np.array([row_of[key] for key in keys])
    raw, used = store.matrix()[rows], layer.used
    z, predicted = layer.standardize(raw, used), layer.predict(raw)
    return [
        {
            "key": key,
            "id": key,
            "split": str(store.split[row]),
            "label": int(store.labels()[row]),
            "predicted": int(predicted[i]),
            "features": [[int(j), float(a)] for j, a in zip(used, z[i], strict=True)],
            **_shown(run, key),
        }
        for i, (key, row) in enumerate(zip(keys, rows, strict=True))
    ]


def _shown(run: Run, key: str) -> dict[str, str | None]:
    """Text or thumbnail: as it was kept, else from the data where they can still be opened."""
    kept = run.kept_example(key)
    text, jpeg = kept.text, kept.jpeg
    if text is None and jpeg is None and run.file.data["keep_examples"]:
        try:
            data = run.dataset
            shown = data.show(list(map(str, data.ids)).index(key))
            text, jpeg = shown.text, shown.jpeg
        except (ClearheadError, DataError, OSError, ValueError):
            pass  # its place stays empty, as in the report
    image = None if not jpeg else f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    # Of a picture there is no text to show, be it empty.
    return {"text": None if image else text, "image": image}
