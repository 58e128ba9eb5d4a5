"""The page that is served: the one place where the front-end is put in."""

from __future__ import annotations

import re
from importlib.resources import files

from clearhead.app.answers import Answer, RefusedError, bytes_answer
from clearhead.app.session import Session
from clearhead.report.html import render_html

__all__ = ["asset", "page"]

_ASSETS = {
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>clearhead</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/app.css">
</head>
<body>
<noscript>clearhead needs JavaScript here; the report (clearhead report) says the most important
without it.</noscript>
<div id="page"></div>
<script src="/app.js"></script>
</body>
</html>
"""
_META_POLICY = re.compile('<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def page(session: Session) -> Answer:
    """Answer with the app, which asks for its data itself; without a bundle, with the report."""
    if _bundled("app.js") is not None:
        return bytes_answer(
            _SHELL.encode(), "text/html; charset=utf-8", content_security_policy=_POLICY
        )
    text = render_html(session.run().report_data())
    held = _META_POLICY.search(text)
    policy = "default-src 'none'" if held is None else held.group(1)
    return bytes_answer(
        text.encode(),
        "text/html; charset=utf-8",
        content_security_policy=f"{policy}; frame-ancestors 'none'",
    )


def asset(name: str) -> Answer:
    """Answer with a part of the bundle."""
    text = _bundled(name) if name in _ASSETS else None
    if text is None:
        raise RefusedError(404, "address", "There is nothing at this address.")
    return bytes_answer(text, _ASSETS[name])


def _bundled(name: str) -> bytes | None:
    """One file of the bundle that ``ui/`` builds into the package; None where there is none."""
    path = files("clearhead.report") / "bundle" / name
    return path.read_bytes() if path.is_file() else None
