"""What does the network see in each example? Extraction and the feature store."""

from clearhead.features.extract import extract
from clearhead.features.keep import keep_features
from clearhead.features.precomputed import PrecomputedFeatures, is_feature_file, read_features
from clearhead.features.problems import CountedProblem, Skipped
from clearhead.features.store import FeatureStore, StoreRows

__all__ = [
    "CountedProblem",
    "FeatureStore",
    "PrecomputedFeatures",
    "Skipped",
    "StoreRows",
    "extract",
    "is_feature_file",
    "keep_features",
    "read_features",
]
