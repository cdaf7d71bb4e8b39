"""Tests of the drawing room; one package, so that they share the builder in `samples`."""
