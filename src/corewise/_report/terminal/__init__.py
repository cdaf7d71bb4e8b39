"""A comparison drawn as text, for any width and any stream."""
