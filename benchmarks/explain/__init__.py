"""How fast explanations are computed, beside the peers."""
