"""Text files as people have them: in some encoding, and with the records of a CSV file."""
