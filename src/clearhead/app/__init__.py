"""The run in a browser: served on this machine (``clearhead serve``)."""

from clearhead.app.serve import Server, serve

__all__ = ["Server", "serve"]
