"""Worker processes on the interface of `multiprocessing.Pool`."""
