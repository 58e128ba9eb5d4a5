"""Slices of the data in which the model does worse."""
