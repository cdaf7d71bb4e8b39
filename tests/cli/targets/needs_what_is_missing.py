"""Imports a module that is not installed."""

import a_module_that_nobody_has  # type: ignore[import-not-found]

square = a_module_that_nobody_has.square
