"""Queues between processes: a log in shared memory, behind two locks that the kernel takes from whoever dies."""
