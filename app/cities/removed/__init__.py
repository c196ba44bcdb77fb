"""Removed cities: their list, emptying it, and deleting them permanently."""
