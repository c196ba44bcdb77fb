"""Folders of files: their rows, their pages, creating, moving and removing them."""
