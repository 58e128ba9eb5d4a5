"""The page that is served: the one place where the front-end is put in."""

from __future__ import annotations

from importlib.resources import files

from clearhead.app.answers import Answer, RefusedError, bytes_answer

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


def page() -> Answer:
    """Answer with the app, which asks for its data itself."""
    return bytes_answer(
        _SHELL.encode(), "text/html; charset=utf-8", content_security_policy=_POLICY
    )


def asset(name: str) -> Answer:
    """Answer with a part of the bundle that ``ui/`` builds into the package."""
    if name not in _ASSETS:
        raise RefusedError(404, "address", "There is nothing at this address.")
    body = (files("clearhead.report") / "bundle" / name).read_bytes()
    return bytes_answer(body, _ASSETS[name])
