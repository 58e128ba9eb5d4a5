"""What does this feature respond to?"""

from clearhead.explain.agreement import Agreement, agreement
from clearhead.explain.examples import FeatureExamples, find_examples
from clearhead.explain.gradients import GradientExplanation, explain_gradients
from clearhead.explain.lime import (
    LimeExplanation,
    LimeExplanations,
    explain_images,
    explain_texts,
)
from clearhead.explain.parts import Parts, regions_of, words_of

__all__ = [
    "Agreement",
    "FeatureExamples",
    "GradientExplanation",
    "LimeExplanation",
    "LimeExplanations",
    "Parts",
    "agreement",
    "explain_gradients",
    "explain_images",
    "explain_texts",
    "find_examples",
    "regions_of",
    "words_of",
]
