"""The index of extreme examples: one pass over a store, beside plain reading and sorting.

Reading comes in two ways, with the file cache warm: ``read`` copies the store's blocks, which are
views of the mapped file, into one buffer; ``file`` reads the files themselves into a buffer,
which is what reading means without a map. The pass and both are timed in turn, so that a busy
machine slows all of them. The peers hold the whole matrix in memory and partition, or sort, it
column by column.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.path import machine
from clearhead.data import TextDataset
from clearhead.explain import ExampleIndex, index_examples
from clearhead.features import FeatureStore, PrecomputedFeatures, keep_features
from clearhead.layer import Certificate, DecisionLayer

K = 16
BUFFER = 4 << 20


def make_store(n: int, p: int, folder: Path) -> FeatureStore:
    """Normal features of n examples, most of the third a ReLU; 70/15/15% in random splits."""
    rng = np.random.default_rng(0)
    X = np.empty((n, p), np.float32)
    for first in range(0, n, 8192):
        block = X[first : first + 8192]
        rng.standard_normal(out=block, dtype=np.float32)
        np.maximum(block[:, ::3], 0, out=block[:, ::3])
    ids = [f"example-{row:08d}" for row in range(n)]
    split = rng.choice(["train", "validation", "test"], n, p=[0.7, 0.15, 0.15])
    dataset = TextDataset.from_texts(
        ids, [("no", "yes")[row % 2] for row in range(n)], ids=ids, split=split.tolist()
    )
    return keep_features(PrecomputedFeatures(X, ids=ids, split=split.tolist()), dataset, folder)


def layer_of(p: int, classes: int = 10) -> DecisionLayer:
    """A layer with 30 features a class."""
    rng = np.random.default_rng(1)
    weight = np.zeros((classes, p))
    for row in weight:
        row[rng.choice(p, min(30, p), replace=False)] = rng.normal(size=min(30, p))
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(classes),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=tuple(f"class {c}" for c in range(classes)),
        certificate=Certificate("multinomial", 0.1, 0.99, 1e-5, 1e-4, "optimal"),
    )


def read(store: FeatureStore) -> None:
    """Copy every block of the mapped store into one buffer."""
    rows = BUFFER // (4 * store.p)
    buffer = np.empty((rows, store.p), np.float32)
    for block in store.rows(block_rows=rows).blocks():
        np.copyto(buffer[: len(block)], block)


def read_files(store: FeatureStore) -> None:
    """Read every file of features into one buffer."""
    buffer = bytearray(BUFFER)
    for shard in store.shards:
        with shard.path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def evict(folder: Path) -> None:
    """Take the files out of the file cache, so that they are read from disk."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def own_memory() -> int:
    """Bytes that this process has allocated and touched; pages of mapped files do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    raise OSError("/proc/self/status has no RssAnon")


def peak_increment(work: Callable[[], Any]) -> int | None:
    """Most own memory while `work` runs, above that before; looked at every two milliseconds."""
    if not Path("/proc/self/status").exists():
        return None
    before, most, over = own_memory(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.002):
            most = max(most, own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return most - before


def partition(X: np.ndarray, columns: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of the K largest and smallest of each column, by numpy.argpartition."""
    found = []
    for j in columns:
        x = X[:, j]
        rows = np.argpartition(x, (K - 1, len(x) - K))
        low, high = rows[:K], rows[-K:]
        found.append((high[np.argsort(-x[high])], low[np.argsort(x[low])]))
    return found


def sort(X: np.ndarray, columns: Sequence[int]) -> None:
    """The same by numpy.argsort."""
    for j in columns:
        order = np.argsort(X[:, j])
        order[-K:], order[:K]


def check(X: np.ndarray, index: ExampleIndex, columns: Sequence[int]) -> bool:
    """Whether the index holds the values that partitioning finds."""
    return all(
        np.array_equal(X[high, j], index.highest[j]) and np.array_equal(X[low, j], index.lowest[j])
        for j, (high, low) in zip(columns, partition(X, columns), strict=True)
    )


def run(a: argparse.Namespace) -> dict[str, Any]:
    """Make the store, or take the one that is there; time everything."""
    store_folder = Path(a.folder) / f"store-{a.rows}-{a.features}"
    if not store_folder.exists():
        make_store(a.rows, a.features, store_folder)
        if a.only_make:
            return {}
    store, layer = FeatureStore.open(store_folder), layer_of(a.features)
    made: list[ExampleIndex] = []
    # The first pass of the process: later ones use memory that it gave back.
    increment = peak_increment(lambda: made.append(index_examples(store, layer, k=K)))
    index = made[0]
    ways = {
        "read": lambda: read(store),
        "file": lambda: read_files(store),
        "index": lambda: index_examples(store, layer, k=K),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(a.repeats):
        for name, work in ways.items():
            store.close()  # mapped anew by each
            if a.cold:
                evict(store_folder)
            seconds[name].append(timed(work))
    with tempfile.TemporaryDirectory() as folder:
        saved = timed(lambda: index.save(folder))
        loaded = timed(lambda: ExampleIndex.load(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    queries = timed(lambda: [index.examples(j) for j in range(a.features)]) / a.features
    result: dict[str, Any] = {
        "rows": a.rows,
        "features": a.features,
        "gigabytes": a.rows * a.features * 4 / 1e9,
        "seconds": seconds,
        "peak_increment_mb": _mb(increment),
        "index_mb": size / 1e6,
        "save_seconds": saved,
        "load_seconds": loaded,
        "query_ms": {
            "examples": 1e3 * queries,
            "contributions": 1e3 * timed(lambda: index.contributions(0)),
            "percentile": 1e3 * timed(lambda: index.percentile(0, 2.0)),
        },
    }
    if not a.no_peers:
        keep = store.is_in("train", "validation")
        X = store.matrix()[keep]
        few = range(0, a.features, max(1, a.features // a.peer_columns))
        factor = a.features / len(few)
        result["equal"] = check(X, index, few)
        result["peers"] = {
            "columns": len(few),
            "argpartition": factor * timed(lambda: partition(X, few)),
            "argsort": factor * timed(lambda: sort(X, few)),
        }
    result["machine"] = machine.describe(2)
    return result


def _mb(size: int | None) -> float | None:
    return None if size is None else size / 1e6


def table(result: dict[str, Any]) -> str:
    """What was measured, as a person reads it."""
    size, seconds = result["gigabytes"], result["seconds"]
    median = {name: statistics.median(s) for name, s in seconds.items()}
    lines = [f"{result['rows']:,} × {result['features']:,} float32 ({size:.2f} GB)"]
    for name, s in seconds.items():
        lines.append(
            f"{name:14s} {median[name]:8.3f} s median, {min(s):.3f} best, "
            f"{size / median[name]:6.2f} GB/s"
        )
    for name in ("read", "file"):
        ratios = [r / i for r, i in zip(seconds[name], seconds["index"], strict=True)]
        lines.append(
            f"index against {name}: {statistics.median(ratios):.2f} of its speed "
            f"(median of {len(ratios)} pairs, {min(ratios):.2f} to {max(ratios):.2f})"
        )
    if "peers" in result:
        peers = result["peers"]
        for name in ("argpartition", "argsort"):
            lines.append(
                f"{name:14s} {peers[name]:8.1f} s, {peers[name] / median['index']:.0f} times as "
                f"long; all in memory, from {peers['columns']} columns"
            )
        lines.append(f"same extremes: {result['equal']}")
    if result["peak_increment_mb"] is not None:
        lines.append(f"peak increment {result['peak_increment_mb']:.0f} MB")
    lines.append(
        f"index {result['index_mb']:.1f} MB, saved in {result['save_seconds']:.2f} s, loaded in "
        f"{result['load_seconds']:.3f} s"
    )
    lines.append(", ".join(f"{name} {ms:.2f} ms" for name, ms in result["query_ms"].items()))
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain index", description=__doc__)
    parser.add_argument("--cold", action="store_true", help="from disk, not the file cache")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peer-columns", type=int, default=32, help="of them; times are scaled")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep the store there and take it up again")
    parser.add_argument("--only-make", action="store_true", help="make the store and stop")
    parser.add_argument("--out", type=Path, help="JSON file of the results")
    a = parser.parse_args(arguments)
    with nullcontext(a.folder) if a.folder else tempfile.TemporaryDirectory() as folder:
        a.folder = folder
        result = run(a)
    if result:
        print(table(result))
        print(json.dumps(result))
        if a.out:
            a.out.parent.mkdir(parents=True, exist_ok=True)
            a.out.write_text(json.dumps(result, indent=1) + "\n")
