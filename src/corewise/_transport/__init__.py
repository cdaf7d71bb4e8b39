"""Floor 1: moves bytes and objects between processes. Knows nothing of what they mean."""
