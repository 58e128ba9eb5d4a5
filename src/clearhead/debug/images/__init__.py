"""Which patterns in pictures does a network wrongly rely on?"""

from clearhead.debug.images.effort import EFFORTS, ImageEffort
from clearhead.debug.images.find import find_image_shortcuts

__all__ = ["EFFORTS", "ImageEffort", "find_image_shortcuts"]
