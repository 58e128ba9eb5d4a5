"""Which point of the path, and what happens when it is changed."""

from clearhead.layer.ablation import Ablation, ablate
from clearhead.layer.decision import Certificate, DecisionLayer
from clearhead.layer.divergence import divergence
from clearhead.layer.evaluate import Evaluation, evaluate, right_rows, share_of
from clearhead.layer.select import (
    Best,
    FeaturesPerClass,
    OneStandardError,
    Percentile,
    Rule,
    Sparsest,
    parse_rule,
)

__all__ = [
    "Ablation",
    "Best",
    "Certificate",
    "DecisionLayer",
    "Evaluation",
    "FeaturesPerClass",
    "OneStandardError",
    "Percentile",
    "Rule",
    "Sparsest",
    "ablate",
    "divergence",
    "evaluate",
    "parse_rule",
    "right_rows",
    "share_of",
]
