"""Signing in, changing one's own password, and the limits on guessing."""
