"""Follow the path: solve point after point, each from those before."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clearhead._types import FloatArray
from clearhead.events import Event, EventCallback, emit
from clearhead.glm.certificate import Certificate
from clearhead.glm.checkpoint import Checkpoint
from clearhead.glm.curvature import Curvature
from clearhead.glm.grid import stepping_stones
from clearhead.glm.path import SparseCoefficients
from clearhead.glm.point import Point, look, proof
from clearhead.glm.prepare import Prepared
from clearhead.glm.solver import NewtonSolver
from clearhead.glm.trend import Trend

__all__ = ["Points", "follow"]

_STONE_TOL = 1e-2


@dataclass
class Points:
    """Points as they are finished."""

    coefficients: list[SparseCoefficients] = field(default_factory=list)
    intercepts: list[FloatArray] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    right: list[int | None] = field(default_factory=list)

    def add(self, fit: Prepared, point: Point, certificate: Certificate, status: str) -> None:
        """Keep a point; the rows must be moved to it."""
        self.coefficients.append(SparseCoefficients.of(fit.widen(point.W)))
        self.intercepts.append(point.b)
        self.certificates.append(certificate)
        self.status.append(status)
        self.right.append(fit.rows.n_right())


def follow(
    fit: Prepared,
    grid: FloatArray,
    tol: float,
    kept: Checkpoint | None,
    on_event: EventCallback | None,
) -> Points:
    """Solve every point of the grid.

    Parameters
    ----------
    fit : Prepared
        Its rows are left at the last point.
    grid : (L,) float64
        Decreasing.
    tol : float
        Relative duality gap.
    kept : Checkpoint, optional
        Finished points are taken from it, and written to it.
    on_event : callable, optional
    """
    points, total = Points(), len(grid)
    emit(on_event, Event("fit", "start", f"{total} values of λ", 0, total, "points"))
    point, before = fit.null, fit.lambda_max
    for W_full, b, status in kept.read(total) if kept is not None else []:
        lam = float(grid[len(points.status)])
        W = W_full[:, fit.columns]
        fit.rows.move(W, b)
        point = look(fit.at(lam), W, b, polished=True)
        certificate = proof(fit.at(lam), point)
        if status == "optimal" and not certificate.gap <= tol:
            break
        before = lam
        points.add(fit, point, certificate, status)
    if points.status:
        message = f"λ {len(points.status)}/{total} · taken up where the last fit stopped"
        emit(on_event, Event("fit", "progress", message, len(points.status), total, "points"))
    solver, curvature, trend = NewtonSolver(), Curvature(), Trend()
    trend.add(before, point.W, point.b)
    for i in range(len(points.status), total):
        lam = float(grid[i])
        for stone in stepping_stones(before, lam):
            point = solver.solve(fit.at(stone), point, tol=_STONE_TOL, curvature=curvature).point
            trend.add(stone, point.W, point.b)
        solution = solver.solve(
            fit.at(lam), point, tol=tol, curvature=curvature, guess=trend.at(lam)
        )
        point, before = solution.point, lam
        trend.add(lam, point.W, point.b)
        points.add(fit, point, solution.certificate, solution.status)
        if kept is not None:
            kept.write(i, fit.widen(point.W), point.b, solution.status)
        used, gap = float(np.count_nonzero(point.W)) / len(point.W), solution.certificate.gap
        message = f"λ {i + 1}/{total} · {used:.1f} features a class · gap {max(gap, 0.0):.0e}"
        data = {"lam": lam, "features_per_class": used, "gap": gap}
        emit(on_event, Event("fit", "progress", message, i + 1, total, "points", data))
    emit(on_event, Event("fit", "end", f"{total} points", total, total, "points"))
    return points
