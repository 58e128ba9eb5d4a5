"""What does the network see in each example? Extraction and the feature store."""

from clearhead.features.extract import extract
from clearhead.features.own_predictions import OwnPredictions, own_predictions
from clearhead.features.problems import CountedProblem, Skipped
from clearhead.features.store import FeatureStore, StoreRows

__all__ = [
    "CountedProblem",
    "FeatureStore",
    "OwnPredictions",
    "Skipped",
    "StoreRows",
    "extract",
    "own_predictions",
]
