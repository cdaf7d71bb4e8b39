"""Floor 7: the command line. Wires the verbs to the terminal and prints; decides nothing."""
