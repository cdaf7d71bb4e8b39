"""Single processes, as `corewise.Process` starts them: how they start, what they bring back, how they end."""
