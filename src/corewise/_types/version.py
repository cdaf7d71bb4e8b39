"""The version of corewise, on the ground floor so that every room can name it."""

__version__ = "0.1.0"
