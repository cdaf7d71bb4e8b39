"""Floor 2: runs and supervises worker processes. README.md beside this file draws the way of the data."""
