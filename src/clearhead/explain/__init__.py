"""What does this feature respond to?"""

from clearhead.explain.build_index import build_index, find_examples, index_examples
from clearhead.explain.contributions import ClassContributions, Contribution
from clearhead.explain.examples import FeatureBand, FeatureExamples
from clearhead.explain.index import ExampleIndex

__all__ = [
    "ClassContributions",
    "Contribution",
    "ExampleIndex",
    "FeatureBand",
    "FeatureExamples",
    "build_index",
    "find_examples",
    "index_examples",
]
