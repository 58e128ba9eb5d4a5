"""What is known of the Hessian, kept from step to step and from lam to lam.

Two ways to a Newton direction. While few coefficients are in play their Hessian is
formed and kept (:mod:`clearhead.glm.formed`). When they are many it is only multiplied
with, in conjugate gradients with a block an output as preconditioner. Costs decide,
counted in operations, so that the same problem takes the same way on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from clearhead._types import BoolArray, FloatArray
from clearhead.glm.costs import Costs
from clearhead.glm.formed import FormedHessian
from clearhead.glm.grouped_model import GroupedModel
from clearhead.glm.model import QuadraticModel
from clearhead.glm.objective import Objective
from clearhead.glm.point import Point
from clearhead.glm.preconditioner import BlockPreconditioner

__all__ = ["Curvature", "Direction"]

_POOR = math.log(4.0)
"""A new Hessian that gains less on the gap, as a logarithm, is not that of the loss."""
_CRAWL, _CRAWLS = math.log(1.25), 3
"""So many steps by products in a row that gain less are not those of the loss's Hessian:
products over all rows take a pass each, so that more is forgiven than where it is formed."""
_FEW, _FEW_EACH = 100, 40
"""So many coefficients may always enter at once: in all, and for each output."""


@dataclass(frozen=True)
class Direction:
    """A Newton step, and what it took.

    Parameters
    ----------
    dW, db : (O, p) and (O,) float64
    products : int
        Products with the Hessian.
    stale : bool
        Whether the Hessian was formed at another point.
    """

    dW: FloatArray  # noqa: N815
    db: FloatArray
    products: int
    stale: bool


@dataclass
class Curvature:
    """Hessians and factors that outlive a step.

    Parameters
    ----------
    forcing : float
        Relative residual to which Newton systems are solved.
    patience : int
        How many more CG steps than a new preconditioner an old one may need.
    max_cg, max_rounds : int
        Budgets of CG steps for one linear system, and of pivoting rounds.
    margin : float
        A zero coefficient is in the working set if its gradient is at least
        (1 - margin) of what would make it enter.
    foresight : float
        The same for what is to last some values of lam.
    most : int
        Coefficients of the largest Hessian that is formed.
    reuse : float
        Steps that a formed Hessian is expected to serve.
    products : float
        Products with the Hessian that a step without a formed one is expected to take.
    """

    forcing: float = 0.03
    patience: int = 8
    max_cg: int = 200
    max_rounds: int = 10
    margin: float = 0.05
    foresight: float = 0.25
    most: int = 4096
    reuse: float = 3.0
    products: float = 10.0
    _formed: FormedHessian | None = None
    _all_rows: bool = False
    _crawled: int = 0
    _blocks: BlockPreconditioner = field(default_factory=BlockPreconditioner)

    def forget(self) -> None:
        """Start anew: what is kept has led nowhere."""
        self._formed = None
        self._blocks.forget()

    def review(
        self, objective: Objective, step: Direction, before: float, after: float, target: float
    ) -> None:
        """Learn from the smallest gap before a step, and the gap after it.

        A formed Hessian is kept while going on with it is cheaper than forming it anew. One of
        sampled rows that gains little though it is new gives way to that of all rows. The gap
        before must be the smallest: steps twice too long may open it and close it in turn.
        """
        if after <= target:
            return
        gain = math.log(max(before / after, 1.0)) if after > 0 else math.inf
        costs = self._costs(objective)
        if not step.stale:
            self._doubt(gain, costs)
            return
        if self._formed is None:
            return
        sizes = self._formed.sizes
        left = math.log(after / target) / gain if gain > 0.05 else math.inf
        each = costs.evaluation() + 2.0 * costs.factoring(sizes)
        if left * each > costs.forming(sizes) + 1.5 * each:
            self._formed = None

    def _costs(self, objective: Objective) -> Costs:
        costs = objective.rows.costs
        return costs.of_all_rows() if self._all_rows else costs

    def _doubt(self, gain: float, costs: Costs) -> None:
        """Give up a sample of the rows whose Hessian was new and gained too little."""
        if not costs.sampled:
            return
        if self._formed is None:
            self._crawled = self._crawled + 1 if gain < _CRAWL else 0
        if self._crawled >= _CRAWLS or (self._formed is not None and gain < _POOR):
            self._all_rows, self._formed = True, None

    def direction(self, objective: Objective, at: Point, caution: float) -> Direction:
        """Newton direction at a state; `caution` is the model's least curvature in lam f_j."""
        penalty, lam = objective.penalty, objective.lam
        used: BoolArray = at.W != 0.0
        if penalty.grouped:
            used = np.broadcast_to(used.any(axis=0), used.shape)
        newcomers = _Newcomers(objective, at, used)
        working = used | newcomers.within(self.margin)
        likely = working | newcomers.within(self.foresight)
        proximal = np.maximum(penalty.l2(lam), caution * lam * penalty.factors)
        stale = self._formed is not None
        must = used | newcomers.within(0.0)
        if self._formed is None or (must & ~self._formed.covered).any():
            stale = False
            self._formed = self._form(objective, likely)
        if self._formed is not None:
            return self._from_formed(self._formed, objective, at, proximal, stale)
        return self._by_products(objective, at, proximal, working, likely)

    def _form(self, objective: Objective, likely: BoolArray) -> FormedHessian | None:
        """Form the Hessian of what is likely to be needed, where that pays."""
        rows, costs = objective.rows, self._costs(objective)
        sizes = [1 + int(row.sum()) for row in likely]
        if costs.largest(sizes) > self.most:
            return None
        formed = costs.forming(sizes) / self.reuse + 2.0 * costs.factoring(sizes)
        if formed > self.products * costs.product(int(likely.any(axis=0).sum())):
            return None
        pool = [np.flatnonzero(row) for row in likely]
        return FormedHessian(pool, rows.hessian(pool, self._all_rows), likely.shape[1])

    def _from_formed(
        self,
        formed: FormedHessian,
        objective: Objective,
        at: Point,
        proximal: FloatArray,
        stale: bool,
    ) -> Direction:
        penalty, lam = objective.penalty, objective.lam
        inside = formed.features >= 0
        ridge = np.where(inside, proximal[formed.features], 0.0)
        l1 = np.where(inside, penalty.l1(lam)[formed.features], 0.0)
        # Outputs that are one group have one pool, which is a table then.
        shape = (len(at.W), -1) if penalty.grouped else (-1,)
        ridge, l1 = ridge.reshape(shape), l1.reshape(shape)
        model = _model(penalty.grouped)(
            w=formed.gather(at.W, at.b).reshape(shape),
            gradient=formed.gather(penalty.l2(lam) * at.W - at.V, -at.vb).reshape(shape),
            l1=l1[0] if penalty.grouped else l1,
            product=lambda d: formed.product(d.ravel()).reshape(shape) + ridge * d,
            precondition=lambda face: _reshaped(formed.on_face(face.ravel(), ridge.ravel()), shape),
        )
        step = model.minimise(rtol=self.forcing, max_cg=self.max_cg, max_rounds=self.max_rounds)
        dW, db = formed.scatter(step.d.ravel())
        return Direction(dW, db, step.cg_steps, stale)

    def _by_products(
        self,
        objective: Objective,
        at: Point,
        proximal: FloatArray,
        working: BoolArray,
        likely: BoolArray,
    ) -> Direction:
        rows, penalty, lam = objective.rows, objective.penalty, objective.lam
        features = np.flatnonzero(working.any(axis=0))
        rows.work_on(features)
        blocks = self._blocks
        blocks.cover(rows, working, likely)
        ones = np.ones((len(working), 1), bool)
        inside: BoolArray = np.concatenate([ones, working[:, features]], axis=1)
        ridge = np.concatenate([[0.0], proximal[features]])

        def product(D: FloatArray) -> FloatArray:
            HD = rows.hessian_product(D, self._all_rows)
            HD += ridge * D
            HD *= inside
            return HD

        def precondition(face: BoolArray) -> BlockPreconditioner:
            blocks.on_face(face, features, ridge)
            return blocks

        gradient = np.concatenate(
            [-at.vb[:, None], (penalty.l2(lam) * at.W - at.V)[:, features]], axis=1
        )
        model = _model(penalty.grouped)(
            w=np.concatenate([at.b[:, None], at.W[:, features]], axis=1),
            gradient=np.where(inside, gradient, 0.0),
            l1=np.concatenate([[0.0], penalty.l1(lam)[features]]),
            product=product,
            precondition=precondition,
        )
        step = model.minimise(rtol=self.forcing, max_cg=self.max_cg, max_rounds=self.max_rounds)
        blocks.judge(step.most_cg_steps, self.patience)
        dW = np.zeros_like(at.W)
        dW[:, features] = step.d[:, 1:]
        return Direction(dW, step.d[:, 0], step.cg_steps, False)


@dataclass(frozen=True)
class _Newcomers:
    """Coefficients at zero that are let in: the strongest ones, where very many could enter.

    Of correlated features that could all enter from afar, the first few leave the others
    without a reason to; taken in at once, they would have to be sorted out one by one.
    """

    objective: Objective
    at: Point
    used: BoolArray

    def within(self, margin: float) -> BoolArray:
        """Those (O, p) whose gradient is at least (1 - margin) of what would make them enter."""
        penalty, lam, V = self.objective.penalty, self.objective.lam, self.at.V
        found = penalty.enters(V, lam, margin) & ~self.used
        most = max(_FEW, _FEW_EACH * len(V), int(self.used.sum()))
        if int(found.sum()) <= most:
            return found
        l1 = penalty.l1(lam)
        with np.errstate(divide="ignore", invalid="ignore"):
            reason = np.where(found, penalty.size(V) / l1, 0.0)
        least = np.partition(reason, -most, axis=None)[-most]
        return np.asarray(found & (reason >= least))


def _model(grouped: bool) -> type[QuadraticModel] | type[GroupedModel]:
    return GroupedModel if grouped else QuadraticModel


def _reshaped(
    solve: Callable[[FloatArray], FloatArray], shape: tuple[int, ...]
) -> Callable[[FloatArray], FloatArray]:
    return lambda r: solve(r.ravel()).reshape(shape)
