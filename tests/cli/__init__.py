"""Tests of the command line; one package, so that they share `command`."""
