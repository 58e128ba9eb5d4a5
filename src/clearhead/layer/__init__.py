"""Which point of the path, and what happens when it is changed."""

from clearhead.layer.ablation import Ablation, AblationCurve, ablate
from clearhead.layer.analysis import LayerAnalysis, analyze
from clearhead.layer.decision import Certificate, DecisionLayer
from clearhead.layer.divergence import divergence
from clearhead.layer.duplicates import Duplicates, Twin, find_duplicates
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
from clearhead.layer.sharing import (
    ClassSimilarity,
    Sharing,
    class_similarity,
    shared_features,
)
from clearhead.layer.stability import Newcomer, Stability
from clearhead.layer.substitutes import Replacement, Substitutes, Substitution

__all__ = [
    "Ablation",
    "AblationCurve",
    "Best",
    "Certificate",
    "ClassSimilarity",
    "DecisionLayer",
    "Duplicates",
    "Evaluation",
    "FeaturesPerClass",
    "LayerAnalysis",
    "Newcomer",
    "OneStandardError",
    "Percentile",
    "Replacement",
    "Rule",
    "Sharing",
    "Sparsest",
    "Stability",
    "Substitutes",
    "Substitution",
    "Twin",
    "ablate",
    "analyze",
    "class_similarity",
    "divergence",
    "evaluate",
    "find_duplicates",
    "parse_rule",
    "right_rows",
    "share_of",
    "shared_features",
]
