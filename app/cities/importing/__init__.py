"""Importing cities from CSV: read, compare with the register, stage, apply."""
