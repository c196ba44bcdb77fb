"""Shared files: up, down, found again."""
