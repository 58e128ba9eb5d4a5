"""What a setting came to, beside what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead.features import own_predictions
from clearhead.glm import Accuracy, Path
from clearhead.reproduce.settings import Published, Setting
from clearhead.run import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Reproduction"]

_SHOWN = 12
"""Points of a path that are printed; all are in :meth:`Reproduction.to_frame`."""


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A setting, fitted.

    Parameters
    ----------
    setting : Setting
    run : Run
        All that was computed, in its directory; open it with :func:`clearhead.open_run`.
    unpenalised : Path
        Two points: that of no features, and the layer without a penalty.
    """

    setting: Setting
    run: Run
    unpenalised: Path = field(repr=False)

    @property
    def path(self) -> Path:
        """The sparse path."""
        return self.run.path()

    @property
    def chosen(self) -> int:
        """Index of the chosen point of :attr:`path`."""
        return int(self.run.selection["index"])

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point: λ, features per class, accuracies, gap; λ = 0 is the last."""
        import pandas as pd

        frames = [self.path.to_frame(), self.unpenalised.to_frame().iloc[-1:]]
        frame = pd.concat(frames, ignore_index=True)
        frame.insert(0, "chosen", np.arange(len(frame)) == self.chosen)
        return frame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw accuracy along the path; see :meth:`clearhead.Path.plot`."""
        return self.path.plot(ax)

    def lines(self) -> list[str]:
        """Say it as the reference's table does: the path, the choice, the dense layers."""
        path, dense = self.path, self.run.path("dense")
        store, chosen = self.run.store, self.chosen
        splits = [split for split in ("train", "validation", "test") if split in path.accuracies]
        sizes = ", ".join(f"{path.n_samples[split]:,} {split}" for split in splits)
        lines = [
            f"{self.setting.name}: {store.backbone_name} on {store.name}",
            f"{sizes}; {len(store.class_names)} classes, {store.p} features",
            "",
            "     λ / λ_max  features a class  " + "".join(f"{split:>12s}" for split in splits),
        ]
        for i in _shown(len(path), chosen):
            mark = "→" if i == chosen else " "
            lines.append(_row(mark, path, i, splits))
        lines.append(_row(" ", self.unpenalised, len(self.unpenalised) - 1, splits))
        best = int(np.argmax([score.value for score in path.accuracies["validation"]]))
        ridge = int(self.run.selection["dense_index"])
        lines += [
            "",
            f"→ {self.run.selection['rule']}",
            _said("chosen layer", path, chosen, splits[-1]),
            _said("best of the path", path, best, splits[-1]),
            _said("dense (ridge)", dense, ridge, splits[-1]),
            _said("dense (no penalty)", self.unpenalised, len(self.unpenalised) - 1, splits[-1]),
            *self._network_lines(splits[-1]),
            _proof(path),
            "",
            *self._published_lines(),
        ]
        return lines

    def _network_lines(self, split: str) -> list[str]:
        """What the network's own head does, and how far the chosen layer agrees with it."""
        found = self.run.selection["agreement"].get("sparse", {}).get(split)
        if found is None:
            return []
        own = own_predictions(self.run.store)
        assert own is not None  # or there were no agreement
        rows = self.run.store.split == split
        right = int((own.predicted[rows] == self.run.store.labels(split)).sum())
        return [
            f"{'network itself':20s} {Accuracy.of(right, int(rows.sum()))}",
            f"{'agreement with it':20s} {found['share']:.1%} of {split}, mean KL {found['kl']:.3g}",
        ]

    def _published_lines(self) -> list[str]:
        if not self.setting.published:
            return ["Published: no figure of this setting is known to us."]
        return ["Published:", *(_published(figure) for figure in self.setting.published)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def _shown(n: int, chosen: int) -> list[int]:
    """Some points, evenly, with both ends and the chosen one."""
    return sorted({*np.linspace(0, n - 1, min(n, _SHOWN)).round().astype(int).tolist(), chosen})


def _row(mark: str, path: Path, i: int, splits: Sequence[str]) -> str:
    ratio = path.lambdas[i] / path.lambda_max
    lam = f"{ratio:12.4g}" if ratio > 0 else f"{'0':>12s}"
    shares = "".join(f"{_value(path, split, i):>12.2%}" for split in splits)
    return f"{mark} {lam}  {path.features_per_class[i]:16.2f}  {shares}"


def _value(path: Path, split: str, i: int) -> float:
    return path.accuracies[split][i].value


def _said(name: str, path: Path, i: int, split: str) -> str:
    used: Any = path.features_per_class[i]
    return f"{name:20s} {path.accuracies[split][i]} {split}, {used:.2f} features a class"


def _published(figure: Published) -> str:
    used = figure.features_per_class
    beside = "" if used is None else f", {used:.2f} features a class"
    return f"{figure.accuracy:.2%}{beside}: {figure.what} [{figure.source}]"


def _proof(path: Path) -> str:
    return (
        f"{int(path.optimal.sum())} of {len(path)} points proven optimal, largest gap "
        f"{np.nanmax(path.gaps):.1e}"
    )
