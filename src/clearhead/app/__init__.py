"""The run in a browser: served on this machine (``clearhead serve``), or in a notebook cell."""

from clearhead.app.notebook import widget
from clearhead.app.serve import Server, serve

__all__ = ["Server", "serve", "widget"]
