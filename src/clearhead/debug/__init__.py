"""What is wrong with the model?"""

from clearhead.debug.change import Change, change_inputs
from clearhead.debug.find import CHECKS, Diagnosis, find
from clearhead.debug.finding import Effect, Finding, FindingKind, holm, rank
from clearhead.debug.inputs import Inputs
from clearhead.debug.labels import LabelNoise, NoisyPair, Suspect, find_label_noise
from clearhead.debug.leaks import Duplicate, Leaks, find_leaks
from clearhead.debug.mistakes import (
    Counterfactual,
    ErrorGroup,
    Errors,
    Mistake,
    counterfactual,
    explain_errors,
    margin_parts,
    share_mended_by_one,
)
from clearhead.debug.pattern import Pattern, load_pattern, save_pattern
from clearhead.debug.shortcut import Proposal, Shortcut, Tested, confirm
from clearhead.debug.slices import Slice, bin_metadata, measure_slices, traits_of, where_holds
from clearhead.debug.texts import read_terms
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView

__all__ = [
    "CHECKS",
    "Change",
    "Counterfactual",
    "Diagnosis",
    "Duplicate",
    "Effect",
    "ErrorGroup",
    "Errors",
    "Finding",
    "FindingKind",
    "Inputs",
    "LabelNoise",
    "Leaks",
    "Mistake",
    "NoisyPair",
    "Pattern",
    "Proposal",
    "Shortcut",
    "Slice",
    "SplitView",
    "Suspect",
    "Tested",
    "TrainView",
    "bin_metadata",
    "change_inputs",
    "confirm",
    "counterfactual",
    "explain_errors",
    "find",
    "find_label_noise",
    "find_leaks",
    "holm",
    "load_pattern",
    "margin_parts",
    "measure_slices",
    "rank",
    "read_terms",
    "save_pattern",
    "share_mended_by_one",
    "traits_of",
    "where_holds",
]
