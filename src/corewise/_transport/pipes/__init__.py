"""Pipes between any two processes: what `corewise.Pipe` returns, on Linux and elsewhere."""
