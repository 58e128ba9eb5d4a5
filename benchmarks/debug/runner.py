"""One case from data to verdict, by the calls that a user makes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import clearhead
from benchmarks.debug.cases import Case
from benchmarks.debug.fingerprint import fingerprint
from benchmarks.debug.judge import Seen, first_match
from benchmarks.debug.measure import Unplanted, cost_of
from benchmarks.debug.networks import make_backbone, remember
from benchmarks.debug.plant import plant
from benchmarks.debug.results import Result, load, save
from benchmarks.debug.sources import Examples, open_source
from clearhead.debug.pattern import Pattern, load_pattern
from clearhead.errors import ClearheadError

__all__ = ["Places", "go_on", "judge_again"]


FIT: dict[str, Any] = {"n_lambdas": 40, "lambda_min_ratio": 1e-2, "tol": 1e-3}
"""The path ends where the layers that the default rule selects are far behind."""

RULE = "sparsest:0.02"
MOST_TESTED = 8


@dataclass(frozen=True)
class Places:
    """Where things are.

    Parameters
    ----------
    results : path
        Folder of the results.
    work : path
        Folder of runs, weights and features, which may be deleted.
    data : path or None
        Folder of data that come with no package.
    """

    results: Path
    work: Path
    data: Path | None


class _Prepared:
    """The data of a case, and the fingerprint of all that makes its network and its run."""

    def __init__(self, case: Case, places: Places) -> None:
        self.case, self.places = case, places
        self.clean = _open(case.source, places.data)
        self.examples = self.clean
        if case.fault is not None:
            self.examples, _ = plant(self.clean, case.fault, case.seed)
        self.made = fingerprint(case.network, case.seed, self.examples, {**FIT, "rule": RULE})

    @property
    def weights(self) -> Path:
        """Where the network's weights are kept."""
        return self.places.work / "weights" / f"{self.case.key}-{self.made}.pt"

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.places.work / "runs" / f"{self.case.key}-{self.made}"


class _Bench:
    """One case at work: planted data, network and run, made when first needed."""

    def __init__(self, prepared: _Prepared, result: Result) -> None:
        self.case, self.places = prepared.case, prepared.places
        self.result, self.clean = result, prepared.clean
        case, examples = prepared.case, prepared.examples
        cache = self.places.work / "cache" / case.source
        with self.timed("train"):
            self.backbone = make_backbone(
                case.network, examples, case.seed, cache, prepared.weights
            )
        self.run = clearhead.new_run(prepared.run, self.backbone, examples.dataset(), force=True)
        with self.timed("extract"):
            self.run.extract()
        if case.fault is None:
            remember(self.backbone, case.network, cache)
        with self.timed("fit"):
            self.run.fit(**FIT)
            self.run.select(RULE)
            self.run.explain(effort="quick")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add to the seconds of a step what it took; what was done before costs nothing."""
        started = time.perf_counter()
        yield
        seconds = round(time.perf_counter() - started, 1)
        self.result.seconds[step] = max(self.result.seconds.get(step, 0.0), seconds)

    def unplanted(self) -> Unplanted:
        """The test split without the fault, as this network sees it."""
        assert self.case.fault is not None
        return Unplanted(self.backbone, self.clean, self.case.fault)

    def patterns(self, findings: list[clearhead.Finding]) -> list[Pattern | None]:
        """The patterns behind findings of the run."""
        folder = self.run.folder / "debug" / "patterns"
        return [
            load_pattern(folder, one.key)[0] if (folder / f"{one.key}.json").is_file() else None
            for one in findings
        ]


@lru_cache(maxsize=2)
def _open(source: str, data: Path | None) -> Examples:
    return open_source(source, data)


def go_on(case: Case, places: Places, screen_only: bool, redo: bool = False) -> Result:
    """Do what is still to be done of a case, or of a twin; return its result.

    A case is screened first: its network is trained and its layer fitted. Only one whose
    fault costs enough is debugged. The twin of a case must have come as far before.
    """
    prepared = _Prepared(case, places)
    result = load(places.results, case.key)
    if result is None or result.made != prepared.made:
        result = Result(case.key, prepared.made)
        save(places.results, result)  # what was measured of something else is forgotten
    if case.fault is not None and not result.twin_made:
        # What a case was made from holds its twin's network and settings, and the clean data.
        result.twin_made = _Prepared(case.twin, places).made
        save(places.results, result)
    if _far_enough(prepared, result, screen_only) and not redo:
        return result
    result.error = ""
    if case.fault is not None:
        go_on(case.twin, places, screen_only)
    bench = _Bench(prepared, result)
    view = bench.run.view("test")
    result.accuracy = round(float(view.right.mean()), 4)
    if bench.backbone.split is not None:
        result.own_head = _own_accuracy(bench)
    unplanted = None
    if case.fault is not None:
        unplanted = bench.unplanted()
        twin = clearhead.open_run(_Prepared(case.twin, places).run).view("test")
        result.twin = cost_of(twin.right, twin.labels == unplanted.target).to_dict()
        result.planted = unplanted.cost(bench.run.layer()).to_dict()
    save(places.results, result)
    if screen_only or (case.fault is not None and not result.counts):
        if case.fault is not None and not result.counts:
            shutil.rmtree(bench.run.folder, ignore_errors=True)
        return result
    with bench.timed("debug"):
        findings = bench.run.debug(force=True)
    seen = [_plain(one, bench.clean.class_names) for one in findings]
    result.findings = seen
    result.tested = _tested(bench)
    if unplanted is not None:
        _judge(bench, unplanted, findings)
    result.stage = "done"
    save(places.results, result)
    return result


def judge_again(case: Case, places: Places) -> Result | None:
    """Judge what was found, and measure its mend, once more; None where nothing was debugged."""
    prepared = _Prepared(case, places)
    result = load(places.results, case.key)
    if case.fault is None or result is None or result.stage != "done":
        return None
    if result.made != prepared.made:
        raise RuntimeError("its result is of other data or of another network: run it again")
    bench = _Bench(prepared, result)
    result.seconds.pop("edit", None)
    result.mended, result.attainable, result.mend_error = None, None, ""
    _judge(bench, bench.unplanted(), bench.run.findings)
    save(places.results, result)
    return result


def _far_enough(prepared: _Prepared, result: Result, screen_only: bool) -> bool:
    """Whether nothing is left to be done; of a twin the run is needed, too, by its cases."""
    if prepared.case.fault is None:
        if not (prepared.run / "layer").is_dir():
            return False
        return result.stage == "done" or (screen_only and result.accuracy > 0)
    screened = result.planted is not None
    return result.stage == "done" or (screened and (screen_only or not result.counts))


def _own_accuracy(bench: _Bench) -> float:
    """Accuracy of the network's own head on the test split of the data that it was given."""
    head, store = bench.backbone.head, bench.run.store
    assert head is not None
    scores = store.matrix("test") @ head[0].numpy().T + head[1].numpy()
    return round(float((scores.argmax(axis=1) == store.labels("test")).mean()), 4)


def _plain(finding: clearhead.Finding, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "title": finding.title,
        "where": finding.where,
        "classes": [names[c] for c in finding.classes],
        "confirmed": finding.confirmed,
        "effect": [round(v, 4) for v in (finding.effect.value, finding.effect.low)],
        "pattern": finding.pattern,
        "cosine": None,
        "shown": None,
        "in_twin": False,
        "opposite": False,
    }


def _tested(bench: _Bench) -> list[dict[str, Any]]:
    """What was tried for the fault's class and did most, found or not: to learn from failures."""
    fault, names = bench.case.fault, bench.clean.class_names
    tried = [one for one in bench.run.tested if fault is None or names[one.target] == fault.target]
    tried.sort(key=lambda one: -one.flips + one.control_flips)
    fields = ("pattern", "split", "inside", "outside", "shift", "flips", "control_flips", "used")
    return [{name: _rounded(one.to_dict()[name]) for name in fields} for one in tried[:MOST_TESTED]]


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _judge(bench: _Bench, unplanted: Unplanted, findings: list[clearhead.Finding]) -> None:
    fault, result = bench.case.fault, bench.result
    assert fault is not None
    layer = bench.run.layer()
    if fault.kind == "pattern":
        twin = clearhead.open_run(_Prepared(bench.case.twin, bench.places).run)
        known = {one.key for one in twin.findings if one.confirmed}
        for plain, finding, pattern in zip(
            result.findings, findings, bench.patterns(findings), strict=True
        ):
            plain["in_twin"] = finding.key in known
            plain["opposite"] = bench.run.layer().n_classes == 2
            if pattern is not None and (plain["opposite"] or fault.target in plain["classes"]):
                alike = unplanted.alike(layer, pattern)
                plain["cosine"], plain["shown"] = round(alike.cosine, 3), round(alike.shown, 3)
    result.rank = first_match([seen_of(plain) for plain in result.findings], fault)
    if result.rank is not None:
        _mend(bench, unplanted)


def _mend(bench: _Bench, unplanted: Unplanted) -> None:
    """Measure the mend that the finding suggests, and what any layer could do."""
    result = bench.result
    result.attainable = unplanted.attainable(bench.clean).to_dict()
    with bench.timed("edit"):
        try:
            edited = bench.run.edit(finding=result.rank, dry_run=True)
        except ClearheadError as error:
            result.mend_error = str(error)
            return
    result.mended = unplanted.cost(edited.layer).to_dict()


def seen_of(plain: dict[str, Any]) -> Seen:
    """What the judge looks at, of a finding as it is kept."""
    return Seen(
        plain["kind"],
        tuple(plain["classes"]),
        plain["confirmed"],
        plain["where"],
        plain["pattern"],
        plain["cosine"],
        plain["shown"],
        plain["in_twin"],
        plain.get("opposite", False),
    )
