"""What figures say, in words: pure, from a case and its machine to sentences."""
