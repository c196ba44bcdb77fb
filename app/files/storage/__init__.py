"""The storage folder: what it holds, the types of its content, and permanent deletion."""
