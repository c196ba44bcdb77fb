"""The database and Redis: what happens when they fail, are slow, or are used by many at once."""
