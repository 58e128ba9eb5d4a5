"""What is wrong with the model?"""

from clearhead.debug.counterfactual import Counterfactual, counterfactual
from clearhead.debug.errors import (
    ErrorGroup,
    Errors,
    Mistake,
    explain_errors,
    margin_parts,
    share_mended_by_one,
)
from clearhead.debug.find import CHECKS, find
from clearhead.debug.finding import Effect, Finding, holm, rank
from clearhead.debug.label_noise import LabelNoise, Suspect, find_label_noise
from clearhead.debug.leaks import Duplicate, Leaks, find_leaks
from clearhead.debug.noisy_pair import NoisyPair
from clearhead.debug.slices import Slice, bin_metadata, measure_slices
from clearhead.debug.train import TrainView
from clearhead.debug.view import SplitView

__all__ = [
    "CHECKS",
    "Counterfactual",
    "Duplicate",
    "Effect",
    "ErrorGroup",
    "Errors",
    "Finding",
    "LabelNoise",
    "Leaks",
    "Mistake",
    "NoisyPair",
    "Slice",
    "SplitView",
    "Suspect",
    "TrainView",
    "bin_metadata",
    "counterfactual",
    "explain_errors",
    "find",
    "find_label_noise",
    "find_leaks",
    "holm",
    "margin_parts",
    "measure_slices",
    "rank",
    "share_mended_by_one",
]
