"""Two runs side by side."""

from clearhead.debug.comparison.compare import Compared, compare
from clearhead.debug.comparison.comparison import Comparison

__all__ = ["Compared", "Comparison", "compare"]
