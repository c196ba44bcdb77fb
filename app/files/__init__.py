"""Shared files: brought up by page or script, listed, fetched, removed and brought back."""
