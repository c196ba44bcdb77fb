"""Undoing uploads, removals and restorations of files, as the history offers it."""
