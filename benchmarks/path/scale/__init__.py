"""Memory, disk, growth and a GPU: one file each."""
