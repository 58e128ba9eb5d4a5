r"""The losses of :mod:`clearhead.glm.families` on a device, a row of scores a sample.

Scores are ``Z (n, O)`` here, so that a chunk of rows is one piece of memory. Sums stay on
the device until somebody asks for a number: each number that comes back waits for all work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor

from clearhead.glm.dual_terms import SHARPEST, TINY, DualTerms, QuadraticTerms
from clearhead.glm.families import Target
from clearhead.glm.soft import is_soft

__all__ = ["DeviceEntropy", "DeviceFamily", "DeviceMixture", "Pieces", "device_family"]

Pieces = Callable[[], Iterator[tuple[Tensor, Tensor, Tensor]]]
"""Gives scores (m, O), targets and weights (m,) of all rows, chunk by chunk."""

_Entropies = Callable[[], Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]]
_Mixtures = Callable[[], Iterator[tuple[Tensor, Tensor, Tensor]]]


@dataclass(frozen=True)
class DeviceEntropy:
    """See :class:`clearhead.glm.dual_terms.EntropyTerms`.

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
    log_kept = kept.clamp_min(TINY).log_()
    terms = (
        other_log,
        other,
        kept * log_kept,
        other * log_kept,
        other * other / kept.clamp_min(SHARPEST),
    )
    return torch.stack([(v @ term).sum() for term in terms])


@dataclass(frozen=True)
class DeviceMixture:
    """See :class:`clearhead.glm.dual_terms.MixtureTerms`.

    Parameters
    ----------
    pieces : callable
        Gives p and P, (m, K), and weights (m,), chunk by chunk.
    """

    pieces: _Mixtures

    def at(self, t: float) -> tuple[float, float, float]:
        """Value, slope and curvature at `t`; it costs O(n K)."""
        if t <= 0.0:
            return 0.0, math.inf, -math.inf
        sums = [_mixture_sums(t, *piece) for piece in self.pieces()]
        value, slope, bend = torch.stack(sums).sum(0).tolist()
        return value, slope, bend

    def joined(self, parts: Sequence[DeviceMixture]) -> DeviceMixture:
        """Terms of all rows, from those of their parts."""
        return DeviceMixture(lambda: (piece for part in parts for piece in part.pieces()))


def _mixture_sums(t: float, p: Tensor, P: Tensor, v: Tensor) -> Tensor:
    """Sums over the rows of a chunk, (3,)."""
    D = P - p
    # A weighted mean keeps the digits of small probabilities; p + t D would not.
    q = (1.0 - t) * p + t * P
    log_q = q.clamp_min(TINY).log_()
    terms = (torch.xlogy(p, p) - q * log_q, -D * log_q, -D * D / q.clamp_min(SHARPEST))
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
    """Independent labels; the binomial family has one.

    Parameters
    ----------
    classes : bool
        Whether targets are of two classes.
    """

    classes: bool

    coupled = False

    def target(self, target: Target, device: torch.device) -> Tensor:
        soft = is_soft(target, classes=self.classes)
        if self.classes:
            target = target[-1:] if soft else target[None]
        dtype = torch.float64 if soft else torch.int8
        return torch.tensor(target.T, dtype=dtype, device=device).contiguous()

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        tail = Z.abs().neg_().exp_()
        # Where the label is right by far the first terms cancel exactly and the last keeps its
        # digits.
        rows = Z.clamp_min(0.0)
        rows -= target * Z
        rows += tail.log1p()
        if target.is_floating_point():
            rows += torch.xlogy(target, target) + torch.xlogy(1.0 - target, 1.0 - target)
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

    def dual_terms(self, pieces: Pieces) -> DeviceEntropy | DeviceMixture:
        """They are as many as scores, so that each use makes them anew."""

        def mixtures() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            for Z, target, v in pieces():
                P = torch.cat([torch.sigmoid(Z), torch.sigmoid(-Z)], dim=1)
                yield torch.cat([target, 1.0 - target], dim=1), P, v

        def entropies() -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
            for Z, target, v in pieces():
                # From the margin, so that tiny probabilities keep their digits.
                margin = torch.where(target == 1, Z, -Z)
                own, other = torch.sigmoid(margin), torch.sigmoid(-margin)
                yield own, other, other * other.clamp_min(TINY).log(), v

        return DeviceMixture(mixtures) if _any_soft(pieces) else DeviceEntropy(entropies)

    def hits(self, Z: Tensor, target: Tensor) -> Tensor:
        return ((Z > 0) == (target > 0.5)).all(dim=1)


def _any_soft(pieces: Pieces) -> bool:
    """Whether targets are probabilities; all of them are, or none."""
    return any(target.is_floating_point() for _, target, _ in islice(pieces(), 1))


@dataclass(frozen=True)
class _Multinomial:
    coupled = True

    def target(self, target: Target, device: torch.device) -> Tensor:
        if is_soft(target, classes=True):
            return torch.tensor(target.T, dtype=torch.float64, device=device).contiguous()
        return torch.tensor(target, dtype=torch.int64, device=device)

    def evaluate(self, Z: Tensor, target: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        shifted = Z - Z.amax(dim=1, keepdim=True)
        P = shifted.exp()
        total = P.sum(dim=1)
        if target.is_floating_point():
            fit = (target * shifted - torch.xlogy(target, target)).sum(dim=1)
        else:
            fit = shifted.gather(1, target[:, None])[:, 0]
        P /= total[:, None]
        return v @ (total.log() - fit), P

    def mean(self, Z: Tensor) -> Tensor:
        return torch.softmax(Z, dim=1)

    def residual(self, M: Tensor, target: Tensor) -> Tensor:
        if target.is_floating_point():
            return target - M
        R = -M
        return R.scatter_add_(1, target[:, None], torch.ones_like(R[:, :1]))

    def curvature(self, M: Tensor, dZ: Tensor) -> Tensor:
        dZ *= M
        dZ -= M * dZ.sum(dim=1, keepdim=True)
        return dZ

    def diagonal(self, M: Tensor) -> Tensor:
        return M * (1.0 - M)

    def dual_terms(self, pieces: Pieces) -> DeviceEntropy | DeviceMixture:
        if _any_soft(pieces):
            # As many as scores, so that each use makes them anew.
            return DeviceMixture(lambda: ((target, self.mean(Z), v) for Z, target, v in pieces()))
        kept = [(*_class_entropy(Z, self.mean(Z), target), v) for Z, target, v in pieces()]
        own, other, other_log, v = (torch.cat(parts) for parts in zip(*kept, strict=True))
        return DeviceEntropy(lambda: iter([(own, other, other_log, v)]))

    def hits(self, Z: Tensor, target: Tensor) -> Tensor:
        wanted = target.argmax(dim=1) if target.is_floating_point() else target
        return Z.argmax(dim=1) == wanted


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
    "binomial": _Logistic(classes=True),
    "multinomial": _Multinomial(),
    "multilabel": _Logistic(classes=False),
    "gaussian": _Gaussian(),
}


def device_family(name: str) -> DeviceFamily:
    """Family of this name, for tensors."""
    return _FAMILIES[name]
