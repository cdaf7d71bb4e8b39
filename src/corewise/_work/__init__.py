"""Floor 1: the innermost loop, the same for every approach: a chunk of items, run in order."""
