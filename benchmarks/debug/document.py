"""The section on debugging power in docs/benchmarks.md, from the results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.debug.cases import LATER
from benchmarks.debug.judge import FAULT_KINDS
from benchmarks.debug.results import Result, load_all
from benchmarks.path.table import markdown

__all__ = ["DOCUMENT", "strays", "warnings", "write"]

BEGIN = "<!-- begin: written by `python -m benchmarks.debug report` -->"
END = "<!-- end of debugging power -->"
DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"

FIRST = 3
NEEDED = 60


def write(folder: Path, document: Path = DOCUMENT) -> list[str]:
    """Write the tables of the results in `folder` between the document's markers.

    Returns
    -------
    list of str
        What is doubtful about the results; the document says it, too.
    """
    before, found, rest = document.read_text("utf-8").partition(BEGIN)
    if not found or END not in rest:
        raise SystemExit(f"{document} lacks the lines '{BEGIN}' and '{END}'. Put them back.")
    after = rest.partition(END)[2]
    results = load_all(folder)
    text = before + "\n\n".join([BEGIN, *body(results), END]) + after
    temporary = document.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(document)
    return warnings(results)


def strays(results: Sequence[Result]) -> list[Result]:
    """Cases that were compared with another twin than the one here: of other data or networks.

    Older results do not say with which; nothing is known of those.
    """
    made = {one.key: one.made for one in results if one.case.fault is None}
    return [
        one
        for one in results
        if one.case.fault is not None
        and one.twin_made
        and one.twin_made != made.get(one.case.twin.key, one.twin_made)
    ]


def warnings(results: Sequence[Result]) -> list[str]:
    """Say which results do not belong together, and of which that is not known."""
    said = []
    if wrong := strays(results):
        keys = ", ".join(f"`{one.key}`" for one in wrong)
        said.append(
            f"**{len(wrong)} results are of other data, networks or settings than the clean twins "
            f"that they are shown beside**: {keys}. `python -m benchmarks.debug run` measures them "
            "again."
        )
    unknown = [one for one in results if one.case.fault is not None and not one.twin_made]
    if unknown:
        said.append(
            f"{len(unknown)} results do not say which data and networks they are of, so that "
            "whether they belong together is not known; `python -m benchmarks.debug run` adds it."
        )
    return said


def body(results: Sequence[Result]) -> list[str]:
    """Give the paragraphs and tables."""
    twins = [one for one in results if one.case.fault is None and one.stage == "done"]
    planted = [one for one in results if one.case.fault is not None and one.planted is not None]
    cases = [one for one in planted if one.case not in LATER]
    later = [one for one in planted if one.case in LATER]
    counted = [one for one in cases if one.counts and one.stage == "done"]
    if not counted:
        return ["No results yet: run `python -m benchmarks.debug run`."]
    open_ones = [one for one in cases if one.counts and one.stage != "done"]
    parts = [
        *warnings(results),
        "### In all",
        _totals(counted, twins),
        f"{len(cases)} faults were planted; {len(counted)} cost enough and were debugged"
        + (f", {len(open_ones)} more were not finished" if open_ones else "")
        + f". Of those, {sum(not one.case.detected for one in counted)} use patterns that nothing "
        f"was written to look for. {_minutes(counted)}",
        "### By kind and rate",
        "Found among the first 3 of the cases that count, and the share of the lost accuracy that "
        "the mend of the finding restored, together over the cases found; at most: what a dense "
        "layer on the same features restores that is fitted to the data as they were before; "
        "flips: how often the planted pattern flips other classes, before and after the mend.",
        _by_kind(counted),
        "### The clean twins",
        _twins(twins),
        "### Every case that counts",
        _cases(counted),
        "### Not found among the first 3",
        _failures(counted),
        "### Planted, and not learned",
        _idle(cases),
        *_later(later),
    ]
    return [part for part in parts if part]


def found(one: Result) -> bool:
    """Whether the fault is among the first findings."""
    return one.rank is not None and one.rank <= FIRST


def restored(results: Iterable[Result]) -> float | None:
    """Share of all the lost balanced accuracy that came back; 0 where nothing was mended."""
    hurt = [one for one in results if one.lost > 0]
    lost = sum(one.lost for one in hurt)
    return sum(one.won(one.mended) for one in hurt) / lost if lost else None


def attainable(results: Iterable[Result]) -> float | None:
    """Share that a layer could bring back at most, of the cases in which it was measured."""
    hurt = [one for one in results if one.lost > 0 and one.attainable is not None]
    lost = sum(one.lost for one in hurt)
    return sum(min(one.won(one.attainable), one.lost) for one in hurt) / lost if lost else None


def fooled(results: Sequence[Result]) -> str:
    """How often the pattern, put into examples of other classes, flips them: before and after."""
    known = [one for one in results if one.mended is not None and one.planted is not None]
    known = [one for one in known if one.case.fault and one.case.fault.kind == "pattern"]
    if not known:
        return "–"
    before = statistics.mean(one.planted["flips"] for one in known if one.planted)
    after = statistics.mean(one.mended["flips"] for one in known if one.mended)
    return f"{100 * before:.0f}% → {100 * after:.0f}%"


def false_findings(one: Result) -> int:
    """Confirmed findings of a clean twin that say something is wrong with its data."""
    return sum(f["confirmed"] and f["kind"] in FAULT_KINDS for f in one.findings)


def _totals(counted: list[Result], twins: list[Result]) -> str:
    false = [false_findings(one) for one in twins]
    rows = [
        ["cases that count", str(len(counted)), f"≥ {NEEDED}", ""],
        [
            "false findings a clean model",
            f"{statistics.mean(false):.2f}" if false else "–",
            "≤ 1",
            "≤ .2",
        ],
        *_shares(counted),
    ]
    return markdown(["", "measured", "floor", "aim"], rows)


def _shares(counted: list[Result]) -> list[list[str]]:
    """What was found, and what came back."""
    often = [one for one in counted if _rate(one) >= 80]
    hidden = [one for one in often if not one.case.detected]
    rest = [one for one in counted if _rate(one) < 80]
    whole = _percent(restored(filter(found, counted)))
    at_60 = [["among the first 3, at 60%", _share(rest), "", ""]] if rest else []
    return [
        ["among the first 3, at ≥ 80%", _share(often), "≥ 75%", "95%"],
        ["– of these, patterns without a detector", _share(hidden), "", ""],
        *at_60,
        ["restored, of the cases found", whole, "≥ 50%", "80%"],
        ["– what any layer on the network's features could", _percent(attainable(counted)), "", ""],
        ["restored, of all that count", _percent(restored(counted)), "", ""],
        ["the pattern flips other classes, before and after the mend", fooled(counted), "", ""],
    ]


def _later(cases: list[Result]) -> list[str]:
    """Give the part on cases that no choice was made on, in the same words."""
    counted = [one for one in cases if one.counts and one.stage == "done"]
    if not counted:
        return []
    head = ["", "measured", "floor", "aim"]
    return [
        "### Cases that came later",
        f"Written down after finders and ways of a mend were there (`LATER` in "
        f"`benchmarks/debug/cases.py`): {len(cases)} faults were planted, {len(counted)} cost "
        "enough and were debugged.",
        markdown(head, _shares(counted)),
        _cases(counted),
        "Not found among the first 3:",
        _failures(counted),
        "Planted, and not learned:",
        _idle(cases) or "None.",
    ]


def _by_kind(counted: list[Result]) -> str:
    rows = []
    kinds: dict[str, Callable[[Result], bool]] = {
        "pictures, with a detector": lambda o: _modality(o) == "image" and o.case.detected,
        "pictures, without": lambda o: _modality(o) == "image" and not o.case.detected,
        "texts, with a detector": lambda o: _modality(o) == "text" and o.case.detected,
        "texts, without": lambda o: _modality(o) == "text" and not o.case.detected,
        "labels": lambda o: _modality(o) == "labels",
    }
    for name, belongs in kinds.items():
        here = [one for one in counted if belongs(one)]
        if not here:
            continue
        row = [name]
        for low, high in ((95, 101), (70, 95), (0, 70)):
            row.append(_share([one for one in here if low <= _rate(one) < high]))
        hits = [one for one in here if found(one)]
        rows.append([*row, _percent(restored(hits)), _percent(attainable(hits)), fooled(hits)])
    head = ["", "100%", "80%", "60% and less", "restored", "at most", "flips"]
    return markdown(head, rows)


def _twins(twins: list[Result]) -> str:
    rows = []
    for one in twins:
        confirmed = [f for f in one.findings if f["confirmed"]]
        wrong = [f["title"] for f in confirmed if f["kind"] in FAULT_KINDS]
        rest = sorted({f["kind"] for f in confirmed} - set(FAULT_KINDS))
        rows.append(
            [
                _name(one),
                f"{one.accuracy:.3f}",
                str(len(wrong)),
                _safe("; ".join(wrong)) or "–",
                str(len(confirmed) - len(wrong)) + (f" ({', '.join(rest)})" if rest else ""),
                f"{sum(one.seconds.values()) / 60:.1f}",
            ]
        )
    head = ["clean model", "accuracy", "false", "which", "other confirmed findings", "minutes"]
    return markdown(head, rows)


def _cases(counted: list[Result]) -> str:
    rows = []
    for one in counted:
        fault = one.case.fault
        assert fault is not None
        assert one.twin is not None
        assert one.planted is not None
        mended = "–" if one.mended is None else f"{one.mended['recall']:.2f}"
        rows.append(
            [
                _name(one),
                fault.pattern if fault.kind == "pattern" else f"{fault.kind}: {fault.pattern}",
                fault.target,
                f"{_rate(one):.0f}",
                "yes" if one.case.detected else "no",
                f"{one.twin['recall']:.2f} → {one.planted['recall']:.2f} → {mended}",
                f"{one.planted['flips']:.2f}"
                + (f" → {one.mended['flips']:.2f}" if one.mended is not None else ""),
                str(one.rank or "–"),
                _percent(one.restored) if one.mended is not None else "–",
                _percent(one.won(one.attainable) / one.lost)
                if one.attainable is not None and one.lost > 0
                else "–",
                f"{sum(one.seconds.values()) / 60:.1f}",
            ]
        )
    head = [
        "model", "pattern", "class", "%", "detector", "recall: clean → planted → mended", "flips",
        "rank", "restored", "at most", "minutes",
    ]  # fmt: skip
    return markdown(head, rows)


def _failures(counted: list[Result]) -> str:
    rows = []
    for one in counted:
        if found(one):
            continue
        fault = one.case.fault
        assert fault is not None
        sure = [f for f in one.findings if f["confirmed"]]
        first = f"{sure[0]['kind']}: {sure[0]['title']}" if sure else "nothing confirmed"
        near = [f["cosine"] for f in one.findings if f["cosine"] is not None]
        rows.append(
            [
                f"{_name(one)}: {fault.pattern} {_rate(one):.0f}%, {fault.target}",
                "no detector" if not one.case.detected else "",
                str(one.rank or "–"),
                f"{max(near):.2f}" if near else "–",
                _safe(first),
            ]
        )
    if not rows:
        return "None."
    return markdown(["case", "", "rank", "nearest pattern (cosine)", "what came first"], rows)


def _idle(cases: list[Result]) -> str:
    names = []
    for one in cases:
        fault = one.case.fault
        if not one.counts and fault is not None:
            names.append(
                f"{fault.pattern} {_rate(one):.0f}% in {fault.target} ({_name(one)}, "
                f"{100 * one.cost:+.0f} points)"
            )
    return "; ".join(names) + "." if names else ""


def _minutes(counted: list[Result]) -> str:
    debug = [one.seconds.get("debug", 0) / 60 for one in counted]
    whole = [sum(one.seconds.values()) / 60 for one in counted]
    return (
        f"A case took {statistics.median(whole):.1f} minutes on one core (median), of which "
        f"`debug` {statistics.median(debug):.1f}, at most {max(debug):.1f}."
    )


def _name(one: Result) -> str:
    again = "" if one.case.seed == 0 else f", seed {one.case.seed}"
    return f"{one.case.source}, {one.case.network}{again}"


def _modality(one: Result) -> str:
    fault = one.case.fault
    if fault is not None and fault.kind != "pattern":
        return "labels"
    return "text" if one.case.network in ("text-cnn", "minilm") else "image"


def _rate(one: Result) -> float:
    fault = one.case.fault
    return 0.0 if fault is None else 100 * fault.rate


def _share(results: list[Result]) -> str:
    if not results:
        return "–"
    hits = sum(map(found, results))
    return f"{100 * hits / len(results):.0f}% ({hits} of {len(results)})"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _safe(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ").replace("<", "&lt;")
