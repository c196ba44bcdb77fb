"""Removed files and folders: their list, emptying it, and where folders would be now."""
