"""The first minutes of an installation: the one-time link that makes the first administrator."""
