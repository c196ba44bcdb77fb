"""The archive: one tar file, its manifest, writing and reading it."""
