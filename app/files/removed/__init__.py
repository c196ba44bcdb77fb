"""Removed files: their list, and emptying it."""
