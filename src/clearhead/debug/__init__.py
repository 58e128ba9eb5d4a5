"""What is wrong with the model?"""

from clearhead.debug.blame import share_mended_by_one
from clearhead.debug.change import Change, change_inputs
from clearhead.debug.find import CHECKS, Diagnosis, find
from clearhead.debug.finding import Effect, Finding, FindingKind, holm, rank
from clearhead.debug.inputs import Inputs
from clearhead.debug.pattern import Pattern, load_pattern, save_pattern
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.debug.slices import Slice, bin_metadata, measure_slices
from clearhead.debug.view import SplitView

__all__ = [
    "CHECKS",
    "Change",
    "Diagnosis",
    "Effect",
    "Finding",
    "FindingKind",
    "Inputs",
    "Pattern",
    "Proposal",
    "Shortcut",
    "Slice",
    "SplitView",
    "Tested",
    "bin_metadata",
    "change_inputs",
    "confirm",
    "find",
    "holm",
    "load_pattern",
    "measure_slices",
    "rank",
    "save_pattern",
    "share_mended_by_one",
]
