"""What is done with every case, in this process or another, and told in a line."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.debug.cases import Case
from benchmarks.debug.results import Result, load, save
from benchmarks.debug.runner import Places, go_on, judge_again
from benchmarks.path.datasets.features import NoDataError

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """What is to be done with a case.

    Parameters
    ----------
    places : Places
    screen : bool
        Go no further than what the fault costs.
    redo : bool
        Look for findings again.
    judge : bool
        Only judge and mend what was found, again.
    seconds : int
        After which the case is ended.
    """

    places: Places
    screen: bool = False
    redo: bool = False
    judge: bool = False
    seconds: int = 900

    def __call__(self, case: Case) -> str:
        """Do it; one case that fails does not end the others."""
        begun = time.monotonic()
        torch.set_num_threads(1)  # of this process, which runs cases only
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(self.seconds)
        try:
            judged = judge_again(case, self.places) if self.judge else None
            if self.judge and judged is None:
                return f"{case.key}: was not debugged"
            result = judged or go_on(case, self.places, self.screen, self.redo)
        except NoDataError as error:
            return f"{case.key}: skipped, {error}"
        except Exception as error:
            result = load(self.places.results, case.key) or Result(case.key)
            result.error = f"{type(error).__name__}: {error}"
            save(self.places.results, result)
            traceback.print_exc(file=sys.stdout)
        finally:
            signal.alarm(0)
        return _line(result, time.monotonic() - begun)


def _too_long(*_: Any) -> None:
    raise TimeoutError("the case took longer than --case-seconds")


def _line(result: Result, seconds: float) -> str:
    parts = [f"{result.key}: {result.stage}, {seconds:.0f} s"]
    if result.error:
        parts.append(result.error)
    if result.planted is None or result.twin is None:
        parts.append(f"accuracy {result.accuracy:.3f}, network's {result.own_head or 0:.3f}")
    else:
        parts.append(
            f"recall {result.twin['recall']:.2f} -> {result.planted['recall']:.2f}, flips "
            f"{result.planted['flips']:.2f}{'' if result.counts else ': not learned'}"
        )
    if result.stage == "done":
        confirmed = sum(one["confirmed"] for one in result.findings)
        restored = result.restored
        parts.append(f"rank {result.rank}, {confirmed} confirmed")
        if restored is not None and result.mended is not None:
            parts.append(f"restored {restored:.2f}")
    return "; ".join(parts)
