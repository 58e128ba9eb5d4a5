"""What does the network see in each example? Extraction and the feature store."""

from clearhead.features.extract import extract
from clearhead.features.keep import keep_features
from clearhead.features.own_predictions import OwnPredictions, own_predictions
from clearhead.features.precomputed import PrecomputedFeatures, is_feature_file, read_features
from clearhead.features.problems import CountedProblem, Skipped
from clearhead.features.store import FeatureStore, StoreRows

__all__ = [
    "CountedProblem",
    "FeatureStore",
    "OwnPredictions",
    "PrecomputedFeatures",
    "Skipped",
    "StoreRows",
    "extract",
    "is_feature_file",
    "keep_features",
    "own_predictions",
    "read_features",
]
