"""Reading a file to import: its encoding, its header, its lines, whatever kind of file it is."""
