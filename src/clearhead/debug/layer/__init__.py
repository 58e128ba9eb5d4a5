"""What the decision layer alone shows: its weights and its predictions."""

from clearhead.debug.layer.confused import find_confused
from clearhead.debug.layer.given_up import find_given_up
from clearhead.debug.layer.hubs import find_hubs
from clearhead.debug.layer.leaning import find_leaning

__all__ = ["find_confused", "find_given_up", "find_hubs", "find_leaning"]
