"""Floor 0: the records that every room speaks in. Nothing here does anything."""
