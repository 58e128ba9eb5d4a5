"""Which network, where does its decision layer begin, and is that proven?"""

from clearhead.backbones.backbone import Backbone, Preprocessing
from clearhead.backbones.batch import Batch
from clearhead.backbones.open import NAMES, absolute, open_backbone
from clearhead.backbones.split import Split, split_module

__all__ = [
    "NAMES",
    "Backbone",
    "Batch",
    "Preprocessing",
    "Split",
    "absolute",
    "open_backbone",
    "split_module",
]
