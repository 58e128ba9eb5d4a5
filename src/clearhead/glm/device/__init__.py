"""The solver's sums over rows on a device of torch, such as a GPU.

Nothing here is imported before a device is asked for.
"""

from __future__ import annotations

__all__: list[str] = []
