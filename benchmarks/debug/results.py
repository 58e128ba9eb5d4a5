"""One JSON file a case: what was measured, and how far it has come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.debug.cases import CASES, LATER, TWINS, Case

__all__ = ["Result", "load", "load_all", "save"]

LOSS = 0.10
"""A case counts when the fault costs its class at least so much recall."""


@dataclass
class Result:
    """One case or twin.

    Parameters
    ----------
    key : str
    made : str
        Fingerprint of the data, the network and the layer's settings that it is of: what belongs
        to another one is measured again.
    twin_made : str
        The same of the twin that a case is compared with; empty in older results.
    stage : {"screened", "done"}
        A model that the fault does not hurt is screened, and goes no further.
    twin, planted, mended, attainable : dict or None
        :class:`benchmarks.debug.measure.Cost` of the clean twin's layer, of the model's, of the
        model's after the mend that the first matching finding suggests, and of a dense layer on
        the model's features that was fitted to the data as they were before the fault.
    findings : list of dict
        Every finding, ranked, as the judge sees it.
    tested : list of dict
        The patterns tried for the fault's class that moved most predictions.
    rank : int or None
        Of the first that names the fault.
    seconds : dict
        By step.
    """

    key: str
    made: str = ""
    twin_made: str = ""
    stage: str = "screened"
    accuracy: float = 0.0
    own_head: float | None = None
    twin: dict[str, float] | None = None
    planted: dict[str, float] | None = None
    mended: dict[str, float] | None = None
    attainable: dict[str, float] | None = None
    mend_error: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    tested: list[dict[str, Any]] = field(default_factory=list)
    rank: int | None = None
    error: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """The case that it is the result of."""
        return next(case for case in (*TWINS, *CASES, *LATER) if case.key == self.key)

    @property
    def cost(self) -> float:
        """Recall of the fault's class that the fault costs."""
        if self.twin is None or self.planted is None:
            return 0.0
        return self.twin["recall"] - self.planted["recall"]

    @property
    def counts(self) -> bool:
        """Whether the network learned the fault."""
        return self.cost >= LOSS

    @property
    def restored(self) -> float | None:
        """Share of the lost balanced accuracy that the mend restored; None without a loss."""
        return self.won(self.mended) / self.lost if self.lost > 0 else None

    @property
    def lost(self) -> float:
        """Balanced accuracy that the fault costs."""
        return 0.0 if self.twin is None else self.won(self.twin)

    def won(self, after: dict[str, float] | None) -> float:
        """Balanced accuracy that a layer has beyond the model's; 0 where there is none."""
        if after is None or self.planted is None:
            return 0.0
        return after["balanced"] - self.planted["balanced"]


def save(folder: Path, result: Result) -> None:
    """Write one result, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{result.key}.tmp"
    temporary.write_text(json.dumps(asdict(result), indent=1) + "\n", "utf-8")
    temporary.replace(folder / f"{result.key}.json")


def load(folder: Path, key: str) -> Result | None:
    """Read one result; None where there is none."""
    path = folder / f"{key}.json"
    return Result(**json.loads(path.read_text("utf-8"))) if path.is_file() else None


def load_all(folder: Path) -> list[Result]:
    """Read the results of all known cases and twins, in their order."""
    found = [load(folder, case.key) for case in (*TWINS, *CASES, *LATER)]
    return [one for one in found if one is not None]
