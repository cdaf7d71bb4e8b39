"""Room for what is learnt of a function before and while it runs."""
