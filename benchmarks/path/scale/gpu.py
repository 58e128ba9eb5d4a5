"""A path of ImageNet's size on one CUDA device; the features are generated there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from benchmarks.path.scale.child import keep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the size of the problem."""
    parser.add_argument("-n", type=int, default=1_281_167)
    parser.add_argument("-p", type=int, default=2_048)
    parser.add_argument("-k", type=int, default=1_000)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--ratio", type=float, default=0.01, help="last lam, as a share of the max")
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--device", default="cuda", help="cpu tries it out on a small problem")


def generate(n: int, p: int, k: int, device: str, seed: int = 0) -> tuple[Any, Any]:
    """Rectified, correlated features (n, p) float32 and labels, on the device."""
    import torch

    random = torch.Generator(device).manual_seed(seed)
    rank = max(10, p // 8)

    def normal(*shape: int) -> Any:
        return torch.randn(*shape, generator=random, device=device)

    steps = torch.arange(1, rank + 1, device=device)[:, None]
    mix = normal(rank, p) / steps**0.7
    uniform = torch.rand(k, p, generator=random, device=device)
    W = normal(k, p) * (uniform < 20 / p)
    X = torch.empty(n, p, device=device)
    y = torch.empty(n, dtype=torch.int64, device=device)
    center = scale = None
    for start in range(0, n, 16_384):
        rows = slice(start, min(n, start + 16_384))
        size = rows.stop - start
        block = (normal(size, rank) @ mix + 0.7 * normal(size, p)).clamp_min(-0.3)
        if center is None:
            center, scale = block.mean(0), block.std(0)
        noise = torch.rand(size, k, generator=random, device=device).clamp(1e-7, 1 - 1e-7)
        X[rows] = block
        scores = 0.8 * ((block - center) / scale) @ W.T
        y[rows] = (scores - torch.log(-torch.log(noise))).argmax(1)
    return X, y


def matmul_rates(device: str, size: int) -> dict[str, float]:
    """Measured rate of square products, in operations a second, by kind."""
    import torch

    kinds = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
    rates = {kind: _rate(device, size, dtype, tf32=False) for kind, dtype in kinds.items()}
    if device != "cpu":
        rates["tf32"] = _rate(device, size, torch.float32, tf32=True)
    return rates


def _rate(device: str, size: int, dtype: Any, *, tf32: bool) -> float:
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    A = torch.randn(size, size, device=device).to(dtype)
    A @ A
    synchronize(device)
    start, repeats = perf_counter(), 0
    while repeats < 3 or (perf_counter() - start < 1.0 and repeats < 50):
        A @ A
        synchronize(device)
        repeats += 1
    torch.backends.cuda.matmul.allow_tf32 = before
    return 2 * size**3 * repeats / (perf_counter() - start)


def synchronize(device: str) -> None:
    """Wait for the device."""
    import torch

    if device != "cpu":
        torch.cuda.synchronize()


def counted(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Result of a call, and operations of its products of tensors by precision."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    operations = {"float64": 0.0, "float32": 0.0}

    class Counter(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if func.overloadpacket is torch.ops.aten.mm:
                A, B = args[:2]
                operations[str(A.dtype).removeprefix("torch.")] += 2.0 * A.numel() * B.shape[1]
            return func(*args, **(kwargs or {}))

    with Counter():
        return call(), operations


def main(a: argparse.Namespace) -> None:
    """Generate, fit, and compare with the rate of plain products."""
    import torch

    from clearhead.glm import fit_path

    if a.device != "cpu" and not torch.cuda.is_available():
        sys.exit("There is no CUDA device. --device cpu with small -n, -p, -k tries this out.")
    name = torch.cuda.get_device_name() if a.device != "cpu" else "CPU"
    rates = matmul_rates(a.device, 8192 if a.device != "cpu" else 1024)
    X, y = generate(a.n, a.p, a.k, a.device)
    synchronize(a.device)

    def fit() -> Any:
        path = fit_path(
            X, y, n_lambdas=a.points, lambda_min_ratio=a.ratio, tol=a.tol, device=a.device,
            on_event=lambda event: print(event.message, flush=True),
        )  # fmt: skip
        synchronize(a.device)
        return path

    start = perf_counter()
    path, operations = counted(fit)
    seconds = perf_counter() - start
    # What the same products would take at the rates that plain ones reach.
    fast = {"float64": rates["float64"], "float32": rates.get("tf32", rates["float32"])}
    least = sum(operations[kind] / fast[kind] for kind in fast)
    row = [
        name, f"{seconds:.1f}", f"{int(path.optimal.sum())}/{len(path)}", f"{path.gaps.max():.1e}",
        f"{path.features_per_class[-1]:.1f}",
        f"{operations['float64'] / 1e12:.3g}", f"{operations['float32'] / 1e12:.3g}",
        f"{sum(operations.values()) / seconds / 1e12:.3g}", f"{least / seconds:.0%}",
    ]  # fmt: skip
    columns = [
        "device", "seconds", "optimal points", "largest gap", "features a class at the end",
        "its products in float64, TFLOP", "in float32 or TF32, TFLOP", "TFLOP/s",
        "share of the time that plain products would take",
    ]  # fmt: skip
    for kind, rate in rates.items():
        columns.append(f"plain {kind} products, TFLOP/s")
        row.append(f"{rate / 1e12:.3g}")
    if a.device != "cpu":
        columns.append("peak device memory, GB")
        row.append(f"{torch.cuda.max_memory_allocated() / 1e9:.1f}")
    text = (
        f"{a.n:,} × {a.p:,} float32, {a.k} classes, {a.points} λ down to {a.ratio:g} λ_max, "
        f"tol {a.tol:g}; generated on the device. The share is of the time that as many "
        "operations take in large products of the same precision."
    )
    keep(a.results, "gpu", "One GPU", text, columns, [row])
