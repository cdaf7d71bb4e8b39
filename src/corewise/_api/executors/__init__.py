"""Executors on the interface of `concurrent.futures`: threads, an event loop, the submitting thread itself."""
