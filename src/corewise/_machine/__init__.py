"""Floor 1: what this machine is and what a process costs it: cores, memory, threads."""
