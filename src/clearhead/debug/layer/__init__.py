"""What the decision layer alone shows: its weights and its predictions."""
