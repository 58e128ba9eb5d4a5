"""Paths of elastic-net decision layers: clearhead and its peers, side by side."""
