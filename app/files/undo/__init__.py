"""Undoing changes of files and folders, as the history offers it."""
