"""What does this feature respond to?"""

from clearhead.explain.examples import FeatureExamples, find_examples

__all__ = ["FeatureExamples", "find_examples"]
