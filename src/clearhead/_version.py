"""Which clearhead this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["MADE_BY", "__version__"]

try:
    __version__ = version("clearhead")
except PackageNotFoundError:  # a checkout on the path, not installed
    __version__ = "0+unknown"

MADE_BY = f"clearhead {__version__}"
