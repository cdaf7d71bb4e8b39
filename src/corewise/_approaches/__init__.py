"""Floor 3: the ways to run chunks. Each opens, takes chunks, hands back outcomes, closes; no more."""
