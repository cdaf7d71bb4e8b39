"""The practical cases: four kinds of work that show when threads, asyncio and processes pay, and when they do not."""
