"""Local linear models: which parts of an example drive its features?"""

from clearhead.explain.lime.explanation import LimeExplanation, LimeExplanations

__all__ = ["LimeExplanation", "LimeExplanations"]
