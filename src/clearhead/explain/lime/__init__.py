"""Local linear models: which parts of an example drive its features?"""

from clearhead.explain.lime.explain import explain_images, explain_texts
from clearhead.explain.lime.explanation import LimeExplanation, LimeExplanations

__all__ = ["LimeExplanation", "LimeExplanations", "explain_images", "explain_texts"]
