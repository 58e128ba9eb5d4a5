"""Slices of the data in which the model does worse."""

from clearhead.debug.slices.conditions import where_holds
from clearhead.debug.slices.measure import Slice, bin_metadata, measure_slices
from clearhead.debug.slices.traits import traits_of
from clearhead.debug.slices.weak import find_slices

__all__ = ["Slice", "bin_metadata", "find_slices", "measure_slices", "traits_of", "where_holds"]
