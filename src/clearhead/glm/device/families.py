r"""The losses of :mod:`clearhead.glm.families` on a device, a row of scores a sample.

Scores are ``Z (n, O)`` here, so that a chunk of rows is one piece of memory. Sums stay on
the device until somebody asks for a number: each number that comes back waits for all work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from clearhead.glm.families import DualTerms, QuadraticTerms, Target

__all__ = ["DeviceEntropy", "DeviceFamily", "Pieces", "device_family"]

Pieces = Callable[[], Iterator[tuple[Tensor, Tensor, Tensor]]]
"""Gives scores (m, O), targets and weights (m,) of all rows, chunk by chunk."""

_Entropies = Callable[[], Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]]

_TINY = torch.finfo(torch.float64).tiny
_SHARPEST = 1e-3


@dataclass(frozen=True)
class DeviceEntropy:
    """See :class:`clearhead.glm.families.EntropyTerms`.

    Parameters
    ----------
    pieces : callable
        Gives own, other, other_log, (m,) or (m, O), and weights (m,), chunk by chunk.
    """

    pieces: _Entropies

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at `t`; it costs O(n)."""
        if t <= 0.0:
            return 0.0, math.inf, -math.inf
        sums = [_entropy_sums(t, *piece) for piece in self.pieces()]
        fixed, mass, kept, cross, sharp = torch.stack(sums).sum(0).tolist()
        log_t = math.log(t)
        value = t * fixed + t * log_t * mass + kept
        return -value, -(fixed + log_t * mass - cross), -(mass / t + sharp)

    def joined(self, parts: Sequence[DeviceEntropy]) -> DeviceEntropy:
        """Terms of all rows, from those of their parts."""
        return DeviceEntropy(lambda: (piece for part in parts for piece in part.pieces()))


def _entropy_sums(t: float, own: Tensor, other: Tensor, other_log: Tensor, v: Tensor) -> Tensor:
    """Sums over the rows of a chunk, (5,)."""
    # 1 - t o, without cancellation.
    kept = own + (1.0 - t) * other
    log_kept = kept.clamp_min(_TINY).log_()
    terms = (
        other_log,
        other,
        kept * log_kept,
        other * log_kept,
        other * other / kept.clamp_min(_SHARPEST),
    )
    return torch.stack([(v @ term).sum() for term in terms])


class DeviceFamily(Protocol):
    """A loss, as its counterpart among the families has it."""

    @property
    def coupled(self) -> bool:
        """Whether the Hessian of a row has terms between outputs."""

    def target(self, target: Target, device: torch.device) -> Tensor:
        """The family's target on the device, a row a sample."""

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted loss () and means (m, O)."""

    def mean(self, Z: Tensor) -> Tensor:
        """Expected target (m, O)."""

    def residual(self, M: Tensor, target: Tensor) -> Tensor:
        """Residuals ``target - M`` (m, O), a new tensor."""

    def curvature(self, M: Tensor, dZ: Tensor) -> Tensor:
        """Hessian of each row's loss times `dZ` (m, O), in place."""

    def diagonal(self, M: Tensor) -> Tensor:
        """Second derivatives in each output alone, of any outputs M."""

    def dual_terms(self, pieces: Pieces) -> DualTerms:
        """The dual of the mean loss at the residuals of these scores."""

    def hits(self, Z: Tensor, target: Tensor) -> Tensor | None:
        """Rows (m,) that are predicted right; None for a target of numbers."""


@dataclass(frozen=True)
class _Logistic:
    """Independent labels; the binomial family has one."""

    coupled = False

    def target(self, target: Target, device: torch.device) -> Tensor:
        labels = target[:, None] if target.ndim == 1 else target.T
        return torch.tensor(labels, dtype=torch.int8, device=device).contiguous()

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        tail = Z.abs().neg_().exp_()
        # Where the label is right by far the first terms cancel exactly and the last keeps its
        # digits.
        rows = Z.clamp_min(0.0)
        rows -= target * Z
        rows += tail.log1p()
        P = torch.where(Z >= 0.0, 1.0, tail)
        P /= tail.add_(1.0)
        return (v @ rows).sum(), P

    def mean(self, Z: Tensor) -> Tensor:
        return torch.sigmoid(Z)

    def residual(self, M: Tensor, target: Tensor) -> Tensor:
        return target - M

    def curvature(self, M: Tensor, dZ: Tensor) -> Tensor:
        dZ *= M
        dZ *= 1.0 - M
        return dZ

    def diagonal(self, M: Tensor) -> Tensor:
        return M * (1.0 - M)

    def dual_terms(self, pieces: Pieces) -> DeviceEntropy:
        """They are as many as scores, so that each use makes them anew."""

        def entropies() -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
            for Z, target, v in pieces():
                # From the margin, so that tiny probabilities keep their digits.
                margin = torch.where(target == 1, Z, -Z)
                own, other = torch.sigmoid(margin), torch.sigmoid(-margin)
                yield own, other, other * other.clamp_min(_TINY).log(), v

        return DeviceEntropy(entropies)

    def hits(self, Z: Tensor, target: Tensor) -> Tensor:
        return ((Z > 0) == (target == 1)).all(dim=1)


@dataclass(frozen=True)
class _Multinomial:
    coupled = True

    def target(self, target: Target, device: torch.device) -> Tensor:
        return torch.tensor(target, dtype=torch.int64, device=device)

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        top = Z.amax(dim=1, keepdim=True)
        P = (Z - top).exp_()
        total = P.sum(dim=1, keepdim=True)
        rows = total.log() + top - Z.gather(1, target[:, None])
        P /= total
        return v @ rows[:, 0], P

    def mean(self, Z: Tensor) -> Tensor:
        return torch.softmax(Z, dim=1)

    def residual(self, M: Tensor, target: Tensor) -> Tensor:
        R = -M
        return R.scatter_add_(1, target[:, None], torch.ones_like(R[:, :1]))

    def curvature(self, M: Tensor, dZ: Tensor) -> Tensor:
        dZ *= M
        dZ -= M * dZ.sum(dim=1, keepdim=True)
        return dZ

    def diagonal(self, M: Tensor) -> Tensor:
        return M * (1.0 - M)

    def dual_terms(self, pieces: Pieces) -> DeviceEntropy:
        kept = [(*_class_entropy(Z, self.mean(Z), target), v) for Z, target, v in pieces()]
        own, other, other_log, v = (torch.cat(parts) for parts in zip(*kept, strict=True))
        return DeviceEntropy(lambda: iter([(own, other, other_log, v)]))

    def hits(self, Z: Tensor, target: Tensor) -> Tensor:
        return Z.argmax(dim=1) == target


def _class_entropy(Z: Tensor, M: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Own, other and other_log, (m,) each."""
    which = target[:, None]
    own = M.gather(1, which)[:, 0]
    # The most probable class has at least 1/K, so that its logarithm is exact.
    log_p_top = M.amax(dim=1).log()
    others = M.scatter(1, which, 0.0)
    other = others.sum(dim=1)
    others *= Z - Z.amax(dim=1, keepdim=True)
    return own, other, others.sum(dim=1) + log_p_top * other


@dataclass(frozen=True)
class _Gaussian:
    coupled = False

    def target(self, target: Target, device: torch.device) -> Tensor:
        return torch.tensor(target.T, dtype=torch.float64, device=device).contiguous()

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return 0.5 * (v @ (target - Z).square_()).sum(), Z

    def mean(self, Z: Tensor) -> Tensor:
        return Z

    def residual(self, M: Tensor, target: Tensor) -> Tensor:
        return target - M

    def curvature(self, M: Tensor, dZ: Tensor) -> Tensor:
        return dZ

    def diagonal(self, M: Tensor) -> Tensor:
        return torch.ones_like(M)

    def dual_terms(self, pieces: Pieces) -> QuadraticTerms:
        parts = []
        for Z, target, v in pieces():
            R = target - Z
            parts.append(torch.stack([(v @ (R * target)).sum(), (v @ (R * R)).sum()]))
        return QuadraticTerms(*torch.stack(parts).sum(0).tolist())

    def hits(self, Z: Tensor, target: Tensor) -> None:
        return None


_FAMILIES: dict[str, DeviceFamily] = {
    "binomial": _Logistic(),
    "multinomial": _Multinomial(),
    "multilabel": _Logistic(),
    "gaussian": _Gaussian(),
}


def device_family(name: str) -> DeviceFamily:
    """Family of this name, for tensors."""
    return _FAMILIES[name]
