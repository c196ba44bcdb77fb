"""The history: one entry for each change that somebody made, written with the change."""
