"""Which patterns in pictures does a network wrongly rely on?"""

from clearhead.debug.images.counterfactual import ImageCounterfactuals, ImageFlip, flip_picture
from clearhead.debug.images.effort import EFFORTS, ImageEffort
from clearhead.debug.images.find import find_image_shortcuts

__all__ = [
    "EFFORTS",
    "ImageCounterfactuals",
    "ImageEffort",
    "ImageFlip",
    "find_image_shortcuts",
    "flip_picture",
]
