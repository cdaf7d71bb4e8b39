"""Floor 2: what can be learnt of a function, by reading it and by running it, and of this machine.

Figures and facts only: what to make of them is `corewise._choose`'s business.
"""
