"""What is told while something runs: one line that changes on a terminal, plain lines elsewhere. No threads."""
