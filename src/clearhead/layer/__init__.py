"""Which point of the path, and what happens when it is changed."""

from clearhead.layer.ablation import Ablation, AblationCurve, ablate
from clearhead.layer.analysis import LayerAnalysis, analyze
from clearhead.layer.apply_edits import (
    Edited,
    apply_edits,
    changed_rows,
    with_ways,
)
from clearhead.layer.calibration import expected_calibration_error, log_losses
from clearhead.layer.decision import Certificate, DecisionLayer
from clearhead.layer.divergence import divergence
from clearhead.layer.duplicates import Duplicates, Twin, find_duplicates
from clearhead.layer.edit import Edit, LayerEdit, ProblemEdit, edit_from_dict
from clearhead.layer.edit_layer import Calibrate, Refit, Scale, Zero
from clearhead.layer.edit_problem import Ban, Counterexamples, Relabel, Reweight
from clearhead.layer.evaluate import Evaluation, evaluate, right_rows, share_of
from clearhead.layer.lam_again import Again, Lam, weighted_accuracy
from clearhead.layer.one_of import OneOf
from clearhead.layer.select import (
    Best,
    FeaturesPerClass,
    OneStandardError,
    Percentile,
    Point,
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
from clearhead.layer.training import TrainingRows
from clearhead.layer.unlink import NOTHING, HeldOut, Unlink

__all__ = [
    "NOTHING",
    "Ablation",
    "AblationCurve",
    "Again",
    "Ban",
    "Best",
    "Calibrate",
    "Certificate",
    "ClassSimilarity",
    "Counterexamples",
    "DecisionLayer",
    "Duplicates",
    "Edit",
    "Edited",
    "Evaluation",
    "FeaturesPerClass",
    "HeldOut",
    "Lam",
    "LayerAnalysis",
    "LayerEdit",
    "Newcomer",
    "OneOf",
    "OneStandardError",
    "Percentile",
    "Point",
    "ProblemEdit",
    "Refit",
    "Relabel",
    "Replacement",
    "Reweight",
    "Rule",
    "Scale",
    "Sharing",
    "Sparsest",
    "Stability",
    "Substitutes",
    "Substitution",
    "TrainingRows",
    "Twin",
    "Unlink",
    "Zero",
    "ablate",
    "analyze",
    "apply_edits",
    "changed_rows",
    "class_similarity",
    "divergence",
    "edit_from_dict",
    "evaluate",
    "expected_calibration_error",
    "find_duplicates",
    "log_losses",
    "parse_rule",
    "right_rows",
    "share_of",
    "shared_features",
    "weighted_accuracy",
    "with_ways",
]
