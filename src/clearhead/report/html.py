"""One self-contained HTML file that a person understands without help.

The style sheet, the script and the data are inlined; nothing is fetched. The
data are hostile until proven otherwise (labels and texts come from anywhere),
so they enter the page in two ways only: as JSON in which no character can end
the script element, drawn by a script that makes text nodes and nothing else;
and, for readers without JavaScript, as escaped text. A content security policy
that names the hashes of the one style sheet and the one script refuses
everything else. See ``docs/report.md``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

from clearhead._files import write_bytes
from clearhead._page import JPEG_URI, as_text, content_policy, fill
from clearhead.errors import DataError
from clearhead.report.along import AppData
from clearhead.report.json_text import json_text
from clearhead.report.schema import Estimate, FindingCard, LayerCard, ReportData

__all__ = ["DATA_ID", "MOST_FILE", "render_html", "write_html", "written_report"]

DATA_ID = "clearhead-data"
"""The id of the script element that holds the data as JSON."""

MOST_FILE = 20 * 2**20
"""Bytes of a report that is one file."""
PART = 4 * 2**20
"""Characters of the data in each part of a report that is a folder."""


def render_html(data: AppData, *, host: Literal["file", "notebook"] = "file") -> str:
    """Draw a run as one HTML page.

    Parameters
    ----------
    data : AppData
        Everything the app shows; it is embedded whole and can be read back
        from the element :data:`DATA_ID`.
    host : {"file", "notebook"}
        A page in a notebook's widget asks the kernel for what it does not hold.

    Returns
    -------
    str
        The page. It makes no request and runs from ``file://``.

    Raises
    ------
    DataError
        An example's image is something else than a ``data:`` URI of a JPEG.
    """
    text = json_text(data.model_dump(mode="python"))
    return _filled(data, f'<script type="application/json" id="{DATA_ID}">{text}</script>', host)


def write_html(data: AppData, path: Path, *, most: int = MOST_FILE) -> Path:
    """Write the page of :func:`render_html` to `path`, whole or not at all.

    A page of :class:`AppData` above `most` bytes becomes a folder of the same name without its
    ending: a page, and scripts that hold the data in parts, since a page of a file can neither
    fetch nor load modules.

    Returns
    -------
    path
        To open: the file, or the page in the folder.
    """
    folder = path.with_suffix("")
    page = render_html(data).encode("utf-8")
    if len(page) <= most:
        write_bytes(path, page)
        _clear(folder)
        return path
    text = json_text(data.model_dump(mode="python"))
    parts = [text[i : i + PART] for i in range(0, len(text), PART)]
    _clear(folder)
    for number, part in enumerate(parts):
        # The text is ASCII and holds no < > &: as a string of a script it is what it was.
        script = f"(globalThis.clearheadParts??=[])[{number}]={json.dumps(part)};\n"
        write_bytes(folder / f"data-{number}.js", script.encode("utf-8"))
    tags = "".join(f'<script src="data-{number}.js"></script>' for number in range(len(parts)))
    index = folder / "index.html"
    write_bytes(index, _filled(data, tags, "file", len(parts)).encode("utf-8"))
    path.unlink(missing_ok=True)
    return index


def written_report(path: Path) -> Path | None:
    """Where the report is that :func:`write_html` wrote to `path`; None where there is none."""
    places = (path, path.with_suffix("") / "index.html")
    return next((place for place in places if place.is_file()), None)


def _clear(folder: Path) -> None:
    """Remove a report that was a folder, and nothing else that lies there."""
    if (folder / "data-0.js").is_file():
        for part in [*folder.glob("data-*.js"), folder / "index.html"]:
            part.unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _filled(data: AppData, held: str, host: str, parts: int = 0) -> str:
    _check_images(data)
    style, script = _part("app.css", "bundle"), _part("app.js", "bundle")
    return fill(
        _part("template.html"),
        {
            "policy": content_policy(style, script, beside=parts > 0),
            "title": as_text(f"{data.name} · clearhead"),
            "style": style,
            "summary": _summary(data),
            "host": host,
            "parts": f' data-parts="{parts}"' if parts else "",
            "held": held,
            "script": script,
        },
    )


def _part(name: str, folder: str = "page") -> str:
    """A file of the page, or of the app; line ends as the HTML parser will hash them."""
    text = (files("clearhead.report") / folder / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _check_images(data: ReportData) -> None:
    for where, image in _images(data):
        if image is not None and not JPEG_URI.fullmatch(image):
            raise DataError(
                f"The image of {where} starts with {image[:30]!r}; "
                "expected 'data:image/jpeg;base64,' and base64 digits. Make the report "
                "again from the run with `clearhead report`."
            )


def _images(data: ReportData) -> Iterator[tuple[str, str | None]]:
    for example in data.examples:
        yield f"example {example.key!r}", example.image
    for feature in data.features:
        for picture in feature.pictures:
            yield f"feature {feature.index}", picture.image
        for highlight in feature.highlights:
            yield f"feature {feature.index} in example {highlight.key!r}", highlight.image


# --- what a reader without JavaScript sees --------------------------------------------


def _percent(estimate: Estimate) -> str:
    return (
        f"{100 * estimate.value:.1f}% (95% interval {100 * estimate.low:.1f}\u2013"
        f"{100 * estimate.high:.1f}%, n = {estimate.n:,})"
    )


def _summary(data: ReportData) -> str:
    """Findings and headline numbers, as plain HTML."""
    points = data.path.points
    optimal = sum(point.status == "optimal" for point in points)
    gap = max((point.gap for point in points), default=math.nan)
    findings = "".join(map(_finding, data.findings))
    return "".join(
        (
            f"<h1>{as_text(data.name)}</h1>",
            f"<p>{as_text(data.model.name)}, {data.model.n_features:,} deep features, on ",
            f"{as_text(data.data.name)}, {len(data.data.class_names):,} classes.</p>",
            "<h2>Decision layers</h2><ul>",
            *map(_layer, data.layers),
            f"</ul><p>{optimal} of {len(points)} path points are optimal; ",
            f"the largest duality gap is {gap:.0e}.</p>",
            "<h2>Findings</h2>",
            f"<ol>{findings}</ol>" if findings else "<p>Nothing suspicious was found.</p>",
            "<p>Charts, classes, features and examples need JavaScript; ",
            "the page asks nothing of any server.</p>",
        )
    )


def _layer(layer: LayerCard) -> str:
    accuracy = layer.accuracy.get("test")
    return (
        f"<li><b>{as_text(layer.name)}</b>: {layer.features_per_class:,.1f} features a class, "
        f"test accuracy {_percent(accuracy) if accuracy else 'unknown'}</li>"
    )


def _finding(finding: FindingCard) -> str:
    state = "confirmed on test" if finding.confirmed else "not confirmed on test"
    effect = finding.effect
    unit = "%" if effect.unit == "share" else " points"
    return (
        f"<li><b>{as_text(finding.title)}</b> ({state}). {as_text(finding.effect.what)}: "
        f"{100 * effect.value:.1f}{unit} (95% interval {100 * effect.low:.1f} to "
        f"{100 * effect.high:.1f}, n = {effect.n:,}). "
        f"{as_text(finding.evidence)} {as_text(finding.mend)}</li>"
    )
