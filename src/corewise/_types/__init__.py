"""Floor 0: the records that every room speaks in, and how their figures are written."""
