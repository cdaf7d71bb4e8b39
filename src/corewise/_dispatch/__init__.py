"""Floor 4: pulls items, cuts chunks, orders, bounds: written once, for every approach."""
