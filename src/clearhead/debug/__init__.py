"""What is wrong with the model?"""

from clearhead.debug.blame import share_mended_by_one
from clearhead.debug.find import CHECKS, find
from clearhead.debug.finding import Effect, Finding, holm, rank
from clearhead.debug.slices import Slice, bin_metadata, measure_slices
from clearhead.debug.view import SplitView

__all__ = [
    "CHECKS",
    "Effect",
    "Finding",
    "Slice",
    "SplitView",
    "bin_metadata",
    "find",
    "holm",
    "measure_slices",
    "rank",
    "share_mended_by_one",
]
