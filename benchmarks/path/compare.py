"""What results say beside one another: ratios, suboptimality, the table of targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.path import solvers
from benchmarks.path.results import TARGET, Result, Run

OURS = "clearhead"
OTHERS = tuple(n for n in solvers.NAMES if n.startswith(("adelie", "sklearn", "celer", "skglm")))


@dataclass(frozen=True)
class Ratio:
    """A peer's time over ours; at least so much, where the peer did not get there.

    Parameters
    ----------
    value : float
    at_least : bool
    """

    value: float
    at_least: bool

    def __str__(self) -> str:
        text = f"{self.value:.3g}" if self.value < 100 else f"{self.value:.0f}"
        return f"≥ {text}" if self.at_least else text


def any_gap(name: str) -> bool:
    """Whether a solver's run counts whatever gap it ends with."""
    return bool(getattr(solvers.load(name), "ANY_GAP", False))


def counted(result: Result) -> tuple[float, bool] | None:
    """Seconds that count for a solver, and whether they are only a lower bound."""
    if not result.runs:
        return None
    if result.winner:
        return result.winner.median_seconds, False
    last = result.runs[-1]
    if any_gap(result.solver) and last.finished:
        return last.median_seconds, False
    ran = [run.elapsed for run in result.runs if run.error is None]
    return (max(ran), True) if ran else None  # a failure says nothing about time


def ratio(peer: Result, ours: Result | None) -> Ratio | None:
    """Time of a peer over ours; None where one of the two says nothing."""
    if ours is None or ours.winner is None:
        return None
    found = counted(peer)
    return found and Ratio(found[0] / ours.winner.median_seconds, found[1])


def best_bounds(results: Iterable[Result]) -> np.ndarray:
    """Largest lower bound of the optimum at each lam that any run proved."""
    runs = [run for result in results for run in (*result.runs, *result.curve)]
    best = np.full(max((len(run.bounds) for run in runs), default=0), -np.inf)
    for run in runs:
        best[: len(run.bounds)] = np.maximum(best[: len(run.bounds)], run.bounds)
    return best


def suboptimality(run: Run, best: np.ndarray) -> float:
    """Largest (P - best bound) / P of a run's points."""
    objectives = np.array(run.objectives)
    if len(objectives) == 0:
        return float("inf")
    floor = 1e-3 * objectives[0]
    return float(((objectives - best[: len(objectives)]) / np.maximum(objectives, floor)).max())


def seconds_to_suboptimality(result: Result, best: np.ndarray) -> float | None:
    """Seconds of the fastest setting whose points all are within the target of the optimum."""
    near = [r for r in result.runs if r.finished and suboptimality(r, best) <= TARGET]
    return min((run.median_seconds for run in near), default=None)


def ratio_near(peer: Result, ours: Result | None, best: np.ndarray) -> Ratio | None:
    """Time of a peer over ours, both until all points are within the target of the optimum."""
    if ours is None or ours.winner is None or any_gap(peer.solver):
        return ratio(peer, ours)
    seconds, own = seconds_to_suboptimality(peer, best), seconds_to_suboptimality(ours, best)
    if seconds is None or own is None:
        return ratio(peer, ours)
    return Ratio(seconds / own, False)


def geometric_mean(ratios: Sequence[Ratio]) -> Ratio | None:
    """Geometric mean; a lower bound as soon as one of them is."""
    if not ratios:
        return None
    logs = [np.log(r.value) for r in ratios]
    return Ratio(float(np.exp(np.mean(logs))), any(r.at_least for r in ratios))


def smallest(ratios: Sequence[Ratio]) -> Ratio | None:
    """Return the smallest of some ratios."""
    return min(ratios, key=lambda r: r.value, default=None)


def targets(found: dict[str, dict[str, Result]]) -> list[list[str]]:
    """Rows of the summary: against whom, on how many problems, mean and smallest ratios."""
    groups: list[tuple[str, tuple[str, ...], str | None]] = [
        ("glmnet, multinomial", ("glmnet",), "multinomial"),
        ("glmnet, two classes", ("glmnet",), "binomial"),
        ("glm_saga, to the same gap", ("glm_saga",), None),
        ("glm_saga, its default run", ("glm_saga_default",), None),
        ("the best of adelie, scikit-learn, celer, skglm", OTHERS, None),
    ]
    rows = []
    for title, names, family in groups:
        proven, near = [], []
        for results in found.values():
            ours = results.get(OURS)
            if family and ours is not None and ours.about["family"] != family:
                continue
            best = best_bounds(results.values())
            peers = [results[n] for n in names if n in results]
            for kept, ratios in (
                (proven, [ratio(peer, ours) for peer in peers]),
                (near, [ratio_near(peer, ours, best) for peer in peers]),
            ):
                least = smallest([r for r in ratios if r is not None])
                if least is not None:
                    kept.append(least)
        cells = [
            str(value or "–")
            for kept in (proven, near)
            for value in (geometric_mean(kept), smallest(kept))
        ]
        rows.append([title, str(len(proven)), *cells])
    return rows
