"""What does this feature respond to?"""

from clearhead.explain.agreement import Agreement, agreement
from clearhead.explain.build_index import build_index, find_examples, index_examples
from clearhead.explain.contributions import ClassContributions, Contribution
from clearhead.explain.examples import FeatureBand, FeatureExamples
from clearhead.explain.gradients import GradientExplanation, explain_gradients
from clearhead.explain.index import ExampleIndex
from clearhead.explain.lime import (
    LimeExplanation,
    LimeExplanations,
    explain_images,
    explain_texts,
)
from clearhead.explain.parts import Parts, regions_of, words_of

__all__ = [
    "Agreement",
    "ClassContributions",
    "Contribution",
    "ExampleIndex",
    "FeatureBand",
    "FeatureExamples",
    "GradientExplanation",
    "LimeExplanation",
    "LimeExplanations",
    "Parts",
    "agreement",
    "build_index",
    "explain_gradients",
    "explain_images",
    "explain_texts",
    "find_examples",
    "index_examples",
    "regions_of",
    "words_of",
]
