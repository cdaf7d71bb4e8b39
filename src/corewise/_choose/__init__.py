"""Floor 2: decisions, all pure: figures in, a choice out. No clock, no process, no thread."""
