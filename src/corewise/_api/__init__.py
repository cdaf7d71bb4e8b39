"""Floor 5: the public verbs, where the knowing wing and the doing wing meet."""
