"""Data sets of the benchmark, one file each."""
