"""The settings of the paper that clearhead follows, each from its own files, by one call.

Wong, Santurkar, Madry (2021), Leveraging Sparse Linear Layers for Debuggable Deep Networks,
ICML, arXiv 2105.04857.
"""

from clearhead.reproduce.fit import reproduce
from clearhead.reproduce.reproduction import Reproduction
from clearhead.reproduce.settings import SETTINGS, Published, Setting

__all__ = ["SETTINGS", "Published", "Reproduction", "Setting", "reproduce"]
