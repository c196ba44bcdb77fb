"""Downloads by id, by name and by the addresses of the original program."""
